extension ModelConfiguration.Backbone {
    /// A residual network (He et al. 2016) in torchvision's form, its stride on the 3×3 convolution.
    public struct ResNet: Codable, Sendable, Equatable {
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
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                depth: try container.whole(.depth),
                lastStride: try container.whole(.lastStride, absent: 1),
                innerWidths: try container.listsOfWholes(.innerWidths))
        }
    }
}
