import Imaging

extension ModelConfiguration {
    /// The size and scaling of the images that a model takes.
    public struct Input: Codable, Sendable, Equatable {
        /// Rows of pixels.
        public var height: Int
        /// Columns of pixels.
        public var width: Int
        /// How an image is resized to `height` × `width`.
        public var interpolation: Interpolation
        /// Subtracted from each channel, whose values are in 0…1: three numbers a modality.
        public var mean: [Modality: [Float]]
        /// Divides each channel after the subtraction: three positive numbers a modality.
        public var std: [Modality: [Float]]

        /// Images of `height` × `width` pixels, scaled by `mean` and `std`.
        public init(
            height: Int, width: Int, interpolation: Interpolation = .bilinear,
            mean: [Modality: [Float]], std: [Modality: [Float]]
        ) {
            self.height = height
            self.width = width
            self.interpolation = interpolation
            self.mean = mean
            self.std = std
        }

        private enum CodingKeys: String, CodingKey {
            case height, width, interpolation, mean, std
        }

        /// Reads the section; `interpolation` may be left out.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                height: try container.whole(.height),
                width: try container.whole(.width),
                interpolation: try container.decodeIfPresent(Interpolation.self, forKey: .interpolation) ?? .bilinear,
                mean: try container.channels(.mean),
                std: try container.channels(.std))
        }
    }
}
