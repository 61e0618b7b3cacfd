import Documents
import Imaging

extension ModelConfiguration {
    /// The size and scaling of the images that a model takes.
    public struct Input: Encodable, Sendable, Equatable {
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
        init(_ fields: inout Fields) throws(DocumentError) {
            self.init(
                height: try fields.require("height", .integer), width: try fields.require("width", .integer),
                interpolation: try fields.read("interpolation", .choice) ?? .bilinear,
                mean: try Self.channels(&fields, "mean"), std: try Self.channels(&fields, "std"))
            try fields.finish()
        }

        /// Numbers by modality. One too large for a `Float` becomes infinite, which validation refuses.
        private static func channels(
            _ fields: inout Fields, _ key: String
        ) throws(DocumentError) -> [Modality: [Float]] {
            var section = try fields.requireObject(key)
            var channels: [Modality: [Float]] = [:]
            for modality in Modality.allCases {
                channels[modality] = try section.read(modality.rawValue, .list(of: "numbers", .number))?.map(Float.init)
            }
            try section.finish()
            return channels
        }
    }
}
