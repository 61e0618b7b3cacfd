import Foundation
import Import
import Inference
import Randomness
import Tensor
import Testing

@Suite("Weights that PyTorch saved")
struct ForeignWeightsTests {
    private func path(_ name: String) throws -> String {
        try #require(Bundle.module.resourceURL).appending(path: "Fixtures/Import/\(name)").path
    }

    @Test("tensors of every type and view come back, in both forms", arguments: ["zip.pth", "legacy.pth"])
    func tensors(name: String) throws {
        let tensors = try ForeignWeights(path: path(name)).tensors
        let expected: [String: (Shape, [Float])] = [
            "weight": ([3, 4], (0..<12).map(Float.init)),
            "transposed": ([4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]),
            "part": ([3], [5, 6, 7]), "half": ([2], [0.5, -2]), "double": ([1], [1.25]), "brain": ([2], [3, -1]),
            "parameter": ([1], [7]),
        ]
        #expect(tensors.keys.sorted() == expected.keys.sorted())
        for (name, (shape, scalars)) in expected {
            #expect(tensors[name]?.shape == shape && tensors[name]?.scalars == scalars, "\(name)")
        }
    }

    @Test("the tar form of the first releases: tensors in a file of their own, storages that view others")
    func tar() throws {
        let tensors = try ForeignWeights(path: path("tar.pth")).tensors
        #expect(tensors.keys.sorted() == ["part", "transposed", "weight"])
        #expect(tensors["weight"]?.shape == [3, 4] && tensors["weight"]?.scalars == (0..<12).map(Float.init))
        #expect(tensors["transposed"]?.scalars == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
        #expect(tensors["part"]?.scalars == [5, 6, 7])
    }

    @Test(
        "a pickle that calls something is refused, and nothing is called",
        arguments: ["command-zip.pth", "command-legacy.pth"])
    func commands(name: String) throws {
        #expect {
            _ = try ForeignWeights(path: path(name))
        } throws: {
            "\($0)".contains("calls posix.system")
        }
        #expect(!FileManager.default.fileExists(atPath: "/tmp/triptych-was-owned"))
    }

    @Test(
        "a truncated or damaged file is an error or other numbers, never a crash",
        arguments: ["zip.pth", "legacy.pth", "tar.pth"])
    func damage(name: String) throws {
        let folder = try ScratchFolder()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
        for length in stride(from: 0, to: whole.count, by: 7) {
            let file = try folder.file(whole.prefix(length), name: "cut.pth")
            #expect(throws: (any Error).self, "\(length) bytes") { try ForeignWeights(path: file) }
        }
        var generator = SplitMix64(seed: 1)
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = try? ForeignWeights(path: folder.file(bytes, name: "changed.pth"))
        }
    }

    @Test("nesting without end neither recurses nor leaks")
    func nesting() throws {
        let folder = try ScratchFolder()
        let magic: [UInt8] = [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
        let deep = [0x80, 2, UInt8(ascii: ")")] + [UInt8](repeating: 0x85, count: 1_000_000) + [UInt8(ascii: ".")]
        let file = try folder.file(magic + deep, name: "deep.pth")
        #expect(throws: (any Error).self) { try ForeignWeights(path: file) }
    }
}
