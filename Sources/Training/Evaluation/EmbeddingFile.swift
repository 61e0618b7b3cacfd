import Inference
import Tensor

/// Queries and a gallery as vectors in a file, whatever has made them: what a ranking needs without a model.
public struct EmbeddingFile: Sendable {
    /// The only task there is.
    public let task: EncodedTask

    /// Reads a safetensors file with `query` [Q, D] and `gallery` [G, D], floating-point, before or after normalisation;
    /// `query_identity`, `query_camera` [Q], `gallery_identity` and `gallery_camera` [G], 64-bit integers.
    ///
    /// Throws `CheckpointError` for a file that cannot be read and for numbers that are not finite, `EvaluationError.tensor` for a
    /// tensor that is missing or of another shape or type.
    public init(
        path: String, protocol rule: RetrievalProtocol = .standard, isDeduplicated: Bool = false
    ) throws {
        let reader = try SafetensorsReader(path: path)
        let shapes = Dictionary(uniqueKeysWithValues: reader.header.entries.map { ($0.name, $0) })
        let width = try Self.width(shapes["query"], nil, "query", path)
        _ = try Self.width(shapes["gallery"], width, "gallery", path)
        for side in ["query", "gallery"] {
            for key in ["identity", "camera"] {
                try Self.check(shapes["\(side)_\(key)"], "\(side)_\(key)", shapes[side]?.dimensions.first ?? 0, path)
            }
        }
        let names = Set(["query", "gallery"].flatMap { ["\($0)_identity", "\($0)_camera"] })
        let found = try reader.contents(vectors: ["query", "gallery"], integers: names)
        let side = { (name: String) in
            let identities = found.integers["\(name)_identity"] ?? []
            let cameras = found.integers["\(name)_camera"] ?? []
            return EncodedItems(
                items: zip(identities, cameras).map { .init(identity: "\($0)", camera: $1) },
                vectors: found.vectors[name] ?? .zeros([0, 0]), name: "embeddings")
        }
        task = EncodedTask(
            name: "query to gallery", queries: side("query"), galleries: [side("gallery")], rule: rule,
            isDeduplicated: isDeduplicated)
    }

    /// The elements of a vector; those of the other side where they are known.
    private static func width(
        _ entry: SafetensorsHeader.Entry?, _ known: Int?, _ name: String, _ path: String
    ) throws(EvaluationError) -> Int {
        let expected = known.map { "[items, \($0)], as query has" } ?? "[items, elements]"
        guard let entry else {
            throw .tensor(file: path, name: name, expected: "vectors \(expected)", found: "none")
        }
        guard entry.dimensions.count == 2, !entry.dimensions.contains(0),
            entry.dimensions[1] == known ?? entry.dimensions[1],
            entry.elementType.isFloatingPoint
        else {
            throw .tensor(
                file: path, name: name, expected: "floating-point vectors \(expected)", found: entry.description)
        }
        return entry.dimensions[1]
    }

    private static func check(
        _ entry: SafetensorsHeader.Entry?, _ name: String, _ count: Int, _ path: String
    ) throws(EvaluationError) {
        guard let entry else {
            throw .tensor(file: path, name: name, expected: "\(count) integers, I64", found: "none")
        }
        guard entry.dimensions == [count], entry.elementType == .int64 else {
            throw .tensor(file: path, name: name, expected: "\(count) integers, I64", found: entry.description)
        }
    }
}

extension SafetensorsHeader.Entry {
    /// Type and shape.
    fileprivate var description: String { "\(elementType.rawValue) of shape \(dimensions)" }
}
