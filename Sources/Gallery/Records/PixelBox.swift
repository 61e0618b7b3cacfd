import Foundation

/// Where in an image the object is: whole pixels of the upright image, as a viewer shows it, at its full size. As JSON
/// `[x, y, width, height]`.
public struct PixelBox: Codable, Equatable, Sendable {
    /// Its leftmost column and its topmost row, from 0.
    public let x: Int, y: Int
    /// Columns and rows, from 1.
    public let width: Int, height: Int

    /// Of x, y, width and height; nil for what is no box of any image.
    public init?(_ numbers: [Int]) {
        guard numbers.count == 4, numbers[0] >= 0 && numbers[1] >= 0 && numbers[2] > 0 && numbers[3] > 0 else {
            return nil
        }
        (x, y, width, height) = (numbers[0], numbers[1], numbers[2], numbers[3])
    }

    /// Throws `DecodingError` for what is no box.
    public init(from decoder: any Decoder) throws {
        guard let box = PixelBox(try [Int](from: decoder)) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "expected [x, y, width, height]"))
        }
        self = box
    }

    /// Throws what the encoder throws.
    public func encode(to encoder: any Encoder) throws { try numbers.encode(to: encoder) }

    /// x, y, width and height.
    public var numbers: [Int] { [x, y, width, height] }
}

/// Boxes by modality as the JSON text of their column, keys sorted; NULL for none.
enum BoxesColumn {
    static func text(_ images: [KeptImage]) throws -> String? {
        let boxes = Dictionary(
            uniqueKeysWithValues: images.compactMap { image in image.box.map { (image.modality, $0) } })
        if boxes.isEmpty { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(boxes), as: UTF8.self)
    }

    static func decode(_ text: String?) throws -> [String: PixelBox] {
        guard let text else { return [:] }
        return try JSONDecoder().decode([String: PixelBox].self, from: Data(text.utf8))
    }
}
