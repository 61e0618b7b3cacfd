import Documents

extension ModelConfiguration.Backbone {
    /// A vision transformer (Dosovitskiy et al. 2021), or its distilled form (DeiT, Touvron et al. 2021).
    public struct ViT: Encodable, Sendable, Equatable {
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
        /// What sets CLIP's transformer apart; the standard one's unless told otherwise.
        public var variant = Variant()

        /// A transformer; `stride` is `patch` unless given.
        public init(
            width: Int, depth: Int, heads: Int, mlpRatio: Double = 4, patch: Int = 16, stride: Int? = nil,
            distilled: Bool = false, blockHeads: [Int]? = nil, mlpWidths: [Int]? = nil, variant: Variant = Variant()
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
            self.variant = variant
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

        /// Tokens of an image.
        public func tokens(_ input: ModelConfiguration.Input) -> Int {
            let (rows, columns) = grid(height: input.height, width: input.width)
            return prefix + rows * columns
        }

        private enum CodingKeys: String, CodingKey {
            case width, depth, heads, patch, stride, distilled
            case mlpRatio = "mlp_ratio"
            case blockHeads = "block_heads"
            case mlpWidths = "mlp_widths"
        }

        /// Writes the sizes, and of the variant what is not standard.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(width, forKey: .width)
            try container.encode(depth, forKey: .depth)
            try container.encode(heads, forKey: .heads)
            try container.encode(mlpRatio, forKey: .mlpRatio)
            try container.encode(patch, forKey: .patch)
            try container.encode(stride, forKey: .stride)
            try container.encode(distilled, forKey: .distilled)
            try container.encodeIfPresent(blockHeads, forKey: .blockHeads)
            try container.encodeIfPresent(mlpWidths, forKey: .mlpWidths)
            try variant.encode(to: encoder)
        }

        /// Reads the sizes; only `width`, `depth` and `heads` are required.
        init(_ fields: inout Fields) throws(DocumentError) {
            self.init(
                width: try fields.require("width", .integer), depth: try fields.require("depth", .integer),
                heads: try fields.require("heads", .integer), mlpRatio: try fields.read("mlp_ratio", .number) ?? 4,
                patch: try fields.read("patch", .integer) ?? 16, stride: try fields.read("stride", .integer),
                distilled: try fields.bool("distilled") ?? false,
                blockHeads: try fields.read("block_heads", .integers),
                mlpWidths: try fields.read("mlp_widths", .integers), variant: try Variant(&fields))
        }
    }
}

extension ModelConfiguration.Backbone.ViT {
    /// In what a transformer may differ from Dosovitskiy's: CLIP's image tower (Radford et al., 2021) does in all of it.
    public struct Variant: Encodable, Sendable, Equatable {
        /// What a block's hidden layer applies.
        public enum HiddenActivation: String, CaseIterable, Encodable, Sendable {
            case gelu
            case quickGELU = "quick_gelu"
        }

        /// Of the hidden layers.
        public var activation = HiddenActivation.gelu
        /// Whether the tokens are normalised before the first block as well.
        public var normalisesFirst = false
        /// Added to the variance in every layer norm.
        public var normEpsilon = 1e-6
        /// Features that the normalised tokens are projected to, without a bias; nil for no projection.
        public var projection: Int?

        /// The standard transformer.
        public init() {}

        private enum CodingKeys: String, CodingKey {
            case activation, projection
            case normalisesFirst = "pre_norm"
            case normEpsilon = "norm_epsilon"
        }

        /// Reads what is not standard; nothing is required.
        init(_ fields: inout Fields) throws(DocumentError) {
            activation = try fields.read("activation", .choice) ?? activation
            normalisesFirst = try fields.bool("pre_norm") ?? normalisesFirst
            normEpsilon = try fields.read("norm_epsilon", .number) ?? normEpsilon
            projection = try fields.read("projection", .integer)
        }

        /// Writes what is not standard.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            let standard = Self()
            if activation != standard.activation { try container.encode(activation, forKey: .activation) }
            if normalisesFirst { try container.encode(true, forKey: .normalisesFirst) }
            if normEpsilon != standard.normEpsilon { try container.encode(normEpsilon, forKey: .normEpsilon) }
            try container.encodeIfPresent(projection, forKey: .projection)
        }
    }
}
