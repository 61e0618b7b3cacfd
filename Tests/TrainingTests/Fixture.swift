import Foundation
import Inference
import Tensor
import Testing
import Training

/// Files beside the tests (Fixtures/make_training.py), and the GraFT that the Inference tests have too.
enum Fixture {
    static func url(_ name: String) throws -> URL {
        let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
        return folder.appendingPathComponent(name)
    }

    static func json<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(contentsOf: url(name)))
    }

    /// The file of Tests/InferenceTests/Fixtures/make_graft.py.
    static func graft() throws -> Checkpoint {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Checkpoint.load(path: tests.appendingPathComponent("InferenceTests/Fixtures/graft.safetensors").path)
    }

    /// A folder of its own, which the caller removes.
    static func scratch() -> URL {
        FileManager.default.temporaryDirectory.appendingPathComponent("triptych-\(UUID().uuidString)")
    }
}

/// The largest difference relative to the largest expected value.
func relativeError(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    let scale = expected.map(abs).max() ?? 0
    return (zip(found, expected).map { abs($0 - $1) }.max() ?? 0) / max(scale, 1e-12)
}
