import Foundation
import Inference
import Tensor
import Testing

/// A folder of its own for one test, removed with the test.
final class ScratchFolder {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "triptych-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// The names of everything in the folder, hidden files too.
    var contents: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }

    func path(_ name: String) -> String {
        url.appending(path: name).path
    }

    /// Writes a file, and gives its path.
    func file(_ bytes: some Sequence<UInt8>, name: String = "file.safetensors") throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }
}

/// The fixtures of this folder, and files made by hand.
enum CheckpointFiles {
    static func path(_ name: String) throws -> String {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/Checkpoint")
        return folder.appending(path: name).path
    }

    static func data(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path(name)))
    }

    /// A safetensors file of that header, which says `length` bytes of itself, or the truth.
    static func safetensors(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
        let length = length ?? UInt64(header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + header.utf8 + data
    }

    /// A header's entry.
    static func entry(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    static let configuration = ModelConfiguration(
        system: .graft(.init(heads: 2, feedforward: 16)), modalities: [.rgb, .tir],
        backbone: .vit(.init(width: 8, depth: 1, heads: 2, patch: 8, distilled: true)),
        input: .init(
            height: 16, width: 24, interpolation: .bicubic,
            mean: [.rgb: [0.485, 0.456, 0.406], .tir: [0.5, 0.5, 0.5]],
            std: [.rgb: [0.229, 0.224, 0.225], .tir: [0.5, 0.5, 0.5]]),
        identities: 3, training: .object(["seed": .integer(1 << 62), "rate": .number(0.1), "note": .null]))

    static let weights = Weights([
        "b.weight": Tensor([1, 0, -3.5, 0, -0.0, 7, 0, 0, 0, 2], shape: [2, 5]),
        "a.bias": Tensor([0.25, -8], shape: [2]),
        "zeros": Tensor([0, 0, 0], shape: [3]),
        "scalar": Tensor([42], shape: []),
    ])
}

func bits(_ tensor: Tensor?) -> [UInt32]? {
    tensor?.scalars.map(\.bitPattern)
}
