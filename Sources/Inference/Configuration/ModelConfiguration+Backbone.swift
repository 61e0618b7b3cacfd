import Documents

extension ModelConfiguration {
    /// The network that turns one image into features.
    public enum Backbone: Sendable, Equatable {
        case vit(ViT)
        case resnet(ResNet)

        /// Features a token or a pixel of the last map.
        public var width: Int {
            switch self {
            case .vit(let vit): vit.variant.projection ?? vit.width
            case .resnet(let resnet): resnet.width
            }
        }
    }
}

extension ModelConfiguration.Backbone: Encodable {
    private enum Kind: String, CaseIterable, Encodable {
        case vit, resnet
    }

    private enum Key: String, CodingKey {
        case kind
    }

    /// Reads the network that `kind` names.
    init(_ fields: inout Fields) throws(DocumentError) {
        switch try fields.require("kind", FieldKind<Kind>.choice) {
        case .vit: self = .vit(try ViT(&fields))
        case .resnet: self = .resnet(try ResNet(&fields))
        }
        try fields.finish()
    }

    /// Writes the network with its `kind`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .vit(let vit):
            try container.encode(Kind.vit, forKey: .kind)
            try vit.encode(to: encoder)
        case .resnet(let resnet):
            try container.encode(Kind.resnet, forKey: .kind)
            try resnet.encode(to: encoder)
        }
    }
}

extension ModelConfiguration.Backbone {
    /// A residual network (He et al. 2016) in torchvision's form, its stride on the 3×3 convolution.
    public struct ResNet: Encodable, Sendable, Equatable {
        /// The depths that exist.
        public static let depths = [18, 34, 50, 101]

        /// One of ``depths``.
        public var depth: Int
        /// Stride of the last stage, 1 or 2; re-identification keeps the finer map of stride 1.
        public var lastStride: Int

        /// Channels between the convolutions of each block, all stages' blocks in order, if pruning has removed some: one
        /// number a block, or two where the blocks are bottlenecks.
        public var innerWidths: [[Int]]?

        /// A residual network of that depth.
        public init(depth: Int, lastStride: Int = 1, innerWidths: [[Int]]? = nil) {
            self.depth = depth
            self.lastStride = lastStride
            self.innerWidths = innerWidths
        }

        /// Channels of the last map: 512, times 4 where the blocks are bottlenecks.
        public var width: Int { 512 * expansion }
        /// Channels of a block's result over those of its stage: 4 where the blocks are bottlenecks.
        public var expansion: Int { depth < 50 ? 1 : 4 }
        /// How many blocks each of the four stages has (He et al., 2016, Table 1).
        public var stageBlocks: [Int] {
            let counts = [18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3]]
            return counts[depth, default: []]  // There is no other depth in a validated configuration.
        }

        /// The stage, from 0, that each block belongs to.
        public var stageOfBlock: [Int] {
            stageBlocks.enumerated().flatMap { stage, count in [Int](repeating: stage, count: count) }
        }

        /// Channels between the convolutions of a block, counted from 0 through all stages.
        public func innerWidths(ofBlock index: Int) -> [Int] {
            innerWidths?[index] ?? [Int](repeating: 64 << stageOfBlock[index], count: expansion == 1 ? 1 : 2)
        }

        private enum CodingKeys: String, CodingKey {
            case depth
            case lastStride = "last_stride"
            case innerWidths = "inner_widths"
        }

        /// Reads the sizes; only `depth` is required.
        init(_ fields: inout Fields) throws(DocumentError) {
            self.init(
                depth: try fields.require("depth", .integer), lastStride: try fields.read("last_stride", .integer) ?? 1,
                innerWidths: try fields.read("inner_widths", .list(of: "lists of whole numbers", .integers)))
        }
    }
}
