import Foundation
import Inference
import Tensor
import Testing
import Training

@Suite("Embeddings in a file")
struct EmbeddingFileTests {
    private enum Entry {
        case floats([Int], [Float])
        case integers([Int64])
    }

    /// A safetensors file of these.
    private func write(_ entries: [String: Entry], to url: URL) throws {
        var (header, data) = ([String: Any](), Data())
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            let start = data.count
            switch entry {
            case .floats(let shape, let values):
                values.withUnsafeBytes { data.append(contentsOf: $0) }
                header[name] = ["dtype": "F32", "shape": shape, "data_offsets": [start, data.count]]
            case .integers(let values):
                values.withUnsafeBytes { data.append(contentsOf: $0) }
                header[name] = ["dtype": "I64", "shape": [values.count], "data_offsets": [start, data.count]]
            }
        }
        let json = try JSONSerialization.data(withJSONObject: header)
        let length = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
        try (length + json + data).write(to: url)
    }

    private static let good: [String: Entry] = [
        "query": .floats([2, 2], [1, 0, 0, 1]), "gallery": .floats([3, 2], [1, 0.1, 0.1, 1, 1, 1]),
        "query_identity": .integers([4, -5]), "gallery_identity": .integers([4, 4, 4]),
        "query_camera": .integers([1, 1]), "gallery_camera": .integers([2, 1, 2]),
    ]

    @Test("is read, and what is missing, of another length, shape or type, or not finite is named")
    func reading() throws {
        let url = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: url) }
        try write(Self.good, to: url)
        let result = try EmbeddingFile(path: url.path).task.result()
        #expect(result.metrics.queries == 1 && result.metrics.skipped == 1 && result.metrics.mAP == 1)
        #expect(result.modalities == "embeddings" && result.galleries == [3])
        let broken: [(String, Entry?, String)] = [
            ("gallery", nil, "tensor gallery: expected vectors [items, 2], as query has, found none"),
            ("gallery", .floats([2, 3], [1, 2, 3, 4, 5, 6]), "as query has, found F32 of shape [2, 3]"),
            ("query", .floats([4], [1, 2, 3, 4]), "[items, elements], found F32 of shape [4]"),
            ("query", .integers([1, 2]), "floating-point vectors [items, elements], found I64 of shape [2]"),
            ("query", .floats([2, 2], [1, .nan, 0, 1]), "query: expected finite numbers"),
            ("query_identity", .integers([4]), "query_identity: expected 2 integers, I64, found I64 of shape [1]"),
            ("query_camera", nil, "query_camera: expected 2 integers, I64, found none"),
            ("gallery_camera", .floats([3], [1, 2, 3]), "gallery_camera: expected 3 integers, I64, found F32"),
        ]
        for (name, entry, message) in broken {
            var entries = Self.good
            entries[name] = entry
            try write(entries, to: url)
            #expect {
                _ = try EmbeddingFile(path: url.path)
            } throws: { "\($0)".hasPrefix("\(url.path): ") && "\($0)".contains(message) }
        }
    }

    @Test("searches of which all, or none, have a mate are refused")
    func oneSided() throws {
        let url = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: url) }
        try write(Self.good, to: url)
        let task = try EmbeddingFile(path: url.path).task
        var plan = EvaluationPlan()
        plan.openSet = OpenSetPlan(removed: 1)
        #expect {
            _ = try Evaluation([task], plan)
        } throws: { "\($0)".contains("expected queries with a mate") }
        plan.openSet = OpenSetPlan(removed: 0)
        #expect(try Evaluation([task], plan).openSets?.first?.unmated.items == 1)
        var entries = Self.good
        entries["query_identity"] = .integers([4, 4])
        try write(entries, to: url)
        let known = try EmbeddingFile(path: url.path).task
        #expect {
            _ = try Evaluation([known], plan)
        } throws: { "\($0)".contains("expected queries without a mate") }
    }
}
