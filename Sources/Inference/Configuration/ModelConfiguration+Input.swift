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
        /// The 16-bit values that become 0 and 255, by modality: such an image means the same wherever it is read. Without a
        /// range each image is stretched between its own 0.1 and 99.9 percentiles.
        public var valueRange: [Modality: ClosedRange<UInt16>]

        /// Images of `height` × `width` pixels, scaled by `mean` and `std`.
        public init(
            height: Int, width: Int, interpolation: Interpolation = .bilinear,
            mean: [Modality: [Float]], std: [Modality: [Float]], valueRange: [Modality: ClosedRange<UInt16>] = [:]
        ) {
            self.height = height
            self.width = width
            self.interpolation = interpolation
            self.mean = mean
            self.std = std
            self.valueRange = valueRange
        }

        private enum CodingKeys: String, CodingKey {
            case height, width, interpolation, mean, std
            case valueRange = "value_range"
        }

        /// Writes the section, `value_range` only where there is one.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(height, forKey: .height)
            try container.encode(width, forKey: .width)
            try container.encode(interpolation, forKey: .interpolation)
            try container.encode(mean, forKey: .mean)
            try container.encode(std, forKey: .std)
            if !valueRange.isEmpty {
                try container.encode(valueRange.mapValues { [$0.lowerBound, $0.upperBound] }, forKey: .valueRange)
            }
        }

        /// Reads the section; `interpolation` and `value_range` may be left out.
        init(_ fields: inout Fields) throws(DocumentError) {
            self.init(
                height: try fields.require("height", .integer), width: try fields.require("width", .integer),
                interpolation: try fields.read("interpolation", .choice) ?? .bilinear,
                mean: try Self.channels(&fields, "mean"), std: try Self.channels(&fields, "std"),
                valueRange: fields.has("value_range") ? try Self.ranges(&fields) : [:])
            try fields.finish()
        }

        private static func ranges(
            _ fields: inout Fields
        ) throws(DocumentError) -> [Modality: ClosedRange<UInt16>] {
            var section = try fields.requireObject("value_range")
            var ranges: [Modality: ClosedRange<UInt16>] = [:]
            for modality in Modality.allCases {
                ranges[modality] = try section.read(modality.rawValue, .rising)
            }
            try section.finish()
            return ranges
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

extension FieldKind<ClosedRange<UInt16>> {
    /// Two 16-bit numbers, the first below the second.
    fileprivate static var rising: FieldKind {
        FieldKind("two rising numbers from 0 to 65535") { value in
            guard let ends = value.array?.compactMap({ $0.integer.flatMap(UInt16.init(exactly:)) }), ends.count == 2,
                value.array?.count == 2, ends[0] < ends[1]
            else { return nil }
            return ends[0]...ends[1]
        }
    }
}
