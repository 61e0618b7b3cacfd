extension ModelConfiguration.Backbone {
    /// A vision transformer (Dosovitskiy et al. 2021), or its distilled form (DeiT, Touvron et al. 2021).
    public struct ViT: Codable, Sendable, Equatable {
        /// Features a token.
        public var width: Int
        /// Transformer blocks.
        public var depth: Int
        /// Attention heads; divides `width`.
        public var heads: Int
        /// Width of a block's hidden layer over `width`.
        public var mlpRatio: Double
        /// Side of a patch, in pixels.
        public var patch: Int
        /// Pixels from one patch to the next; patches overlap where it is smaller than `patch`.
        public var stride: Int
        /// Whether a distillation token follows the class token.
        public var distilled: Bool
        /// Attention heads that each block has left, if pruning has removed some; a head's width stays what it was.
        public var blockHeads: [Int]?
        /// Width of each block's hidden layer, if pruning has removed some of its neurons.
        public var mlpWidths: [Int]?

        /// A transformer; `stride` is `patch` unless given.
        public init(
            width: Int, depth: Int, heads: Int, mlpRatio: Double = 4, patch: Int = 16, stride: Int? = nil,
            distilled: Bool = false, blockHeads: [Int]? = nil, mlpWidths: [Int]? = nil
        ) {
            self.width = width
            self.depth = depth
            self.heads = heads
            self.mlpRatio = mlpRatio
            self.patch = patch
            self.stride = stride ?? patch
            self.distilled = distilled
            self.blockHeads = blockHeads
            self.mlpWidths = mlpWidths
        }

        /// Width of a block's hidden layer before any pruning.
        public var hidden: Int { Int(Double(width) * mlpRatio) }
        /// Features of a query, a key or a value.
        public var headWidth: Int { width / heads }

        /// Attention heads of a block, counted from 0.
        public func heads(ofBlock index: Int) -> Int { blockHeads?[index] ?? heads }

        /// Width of a block's hidden layer.
        public func hidden(ofBlock index: Int) -> Int { mlpWidths?[index] ?? hidden }

        /// Tokens before those of the patches: the class token and, if any, the distillation token.
        public var prefix: Int { distilled ? 2 : 1 }

        /// Rows and columns of patches that fit wholly in an image of `height` × `width` pixels.
        public func grid(height: Int, width: Int) -> (rows: Int, columns: Int) {
            ((height - patch) / stride + 1, (width - patch) / stride + 1)
        }

        private enum CodingKeys: String, CodingKey {
            case width, depth, heads, patch, stride, distilled
            case mlpRatio = "mlp_ratio"
            case blockHeads = "block_heads"
            case mlpWidths = "mlp_widths"
        }

        /// Reads the sizes; only `width`, `depth` and `heads` are required.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                width: try container.whole(.width),
                depth: try container.whole(.depth),
                heads: try container.whole(.heads),
                mlpRatio: try container.number(.mlpRatio, absent: 4),
                patch: try container.whole(.patch, absent: 16),
                stride: container.contains(.stride) ? try container.whole(.stride) : nil,
                distilled: try container.decodeIfPresent(Bool.self, forKey: .distilled) ?? false,
                blockHeads: try container.wholes(.blockHeads), mlpWidths: try container.wholes(.mlpWidths))
        }
    }
}
