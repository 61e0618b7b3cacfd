extension ModelConfiguration.Backbone {
    /// A residual network (He et al. 2016) in torchvision's form, its stride on the 3×3 convolution.
    public struct ResNet: Codable, Sendable, Equatable {
        /// The depths that exist.
        public static let depths = [18, 34, 50, 101]

        /// One of ``depths``.
        public var depth: Int
        /// Stride of the last stage, 1 or 2; re-identification keeps the finer map of stride 1.
        public var lastStride: Int

        /// A residual network of that depth.
        public init(depth: Int, lastStride: Int = 1) {
            self.depth = depth
            self.lastStride = lastStride
        }

        /// Channels of the last map: 512, times 4 where the blocks are bottlenecks.
        public var width: Int { depth < 50 ? 512 : 2048 }

        private enum CodingKeys: String, CodingKey {
            case depth
            case lastStride = "last_stride"
        }

        /// Reads the sizes; only `depth` is required.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                depth: try container.whole(.depth),
                lastStride: try container.whole(.lastStride, absent: 1))
        }
    }
}
