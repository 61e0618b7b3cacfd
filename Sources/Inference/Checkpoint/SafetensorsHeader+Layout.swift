import Documents
import Foundation

extension SafetensorsHeader {
    /// A tensor whose place is not yet given.
    struct Unplaced {
        let name: String
        let elementType: ElementType
        let dimensions: [Int]
    }

    /// Places tensors one after the other: those with the largest elements first, so that every one is aligned, and by
    /// name among equals, so that equal contents give equal bytes.
    init(placing tensors: [Unplaced], metadata: [String: String]) {
        let ordered = tensors.sorted { ($1.elementType.size, $0.name) < ($0.elementType.size, $1.name) }
        var end = 0
        self.metadata = metadata
        entries = ordered.map { tensor in
            let length = tensor.dimensions.reduce(tensor.elementType.size, *)
            defer { end += length }
            return Entry(
                name: tensor.name, elementType: tensor.elementType, dimensions: tensor.dimensions,
                range: end..<(end + length))
        }
    }

    /// The file's first bytes: the length, eight bytes little-endian, and the JSON, padded with spaces so that the data
    /// begins at a multiple of eight.
    ///
    /// Throws `CheckpointError.Reason.headerTooLarge` if the reader would refuse it.
    func encoded() throws -> [UInt8] {
        var members: [String: JSONValue] = [:]
        for entry in entries {
            members[entry.name] = .object([
                "dtype": .string(entry.elementType.rawValue),
                "shape": .array(entry.dimensions.map(JSONValue.integer)),
                "data_offsets": .array([.integer(entry.range.lowerBound), .integer(entry.range.upperBound)]),
            ])
        }
        if !metadata.isEmpty { members[Self.metadataKey] = .object(metadata.mapValues(JSONValue.string)) }
        var json = [UInt8](try JSONEncoder.canonical.encode(JSONValue.object(members)))
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        guard json.count <= Self.maximumLength else {
            throw CheckpointError.Reason.headerTooLarge(limit: Self.maximumLength, found: UInt64(json.count))
        }
        return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
    }
}
