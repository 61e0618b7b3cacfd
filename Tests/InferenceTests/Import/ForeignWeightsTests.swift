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

    /// A legacy file whose one tensor repeats the elements of a storage, by strides of 0.
    private func legacy(storage count: UInt16, sizes: [UInt16]) -> [UInt8] {
        let magic: [UInt8] = [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
        let small = { (value: UInt16) in [UInt8(ascii: "M"), UInt8(value & 255), UInt8(value >> 8)] }
        let tuple = { (items: [UInt8]) in [UInt8(ascii: "(")] + items + [UInt8(ascii: "t")] }
        let text = { (text: String) in [0x8C, UInt8(text.utf8.count)] + text.utf8 }
        let global = { (name: String) in [UInt8(ascii: "c")] + name.utf8 + [10] }
        let storage = tuple(text("storage") + global("torch\nFloatStorage") + text("0") + text("cpu") + small(count))
        let view = [UInt8(ascii: "Q")] + small(0) + tuple(sizes.flatMap(small)) + tuple(sizes.flatMap { _ in small(0) })
        let tensor = global("torch._utils\n_rebuild_tensor_v2") + tuple(storage + view) + Array("R".utf8)
        let object = [0x80, 2] + Array("}(".utf8) + text("w") + tensor + Array("u.".utf8)
        let keys = [0x80, 2] + Array("](".utf8) + text("0") + Array("e.".utf8)
        let counted = [UInt8(count & 255), UInt8(count >> 8), 0, 0, 0, 0, 0, 0]
        return magic + [0x4E, 0x2E, 0x4E, 0x2E] + object + keys + counted + [UInt8](repeating: 0, count: 4 * Int(count))
    }

    @Test("sizes whose product is beyond any integer are an error, and repeated elements are read")
    func overflow() throws {
        let folder = try ScratchFolder()
        let good = try folder.file(legacy(storage: 6, sizes: [2, 3]), name: "good.pth")
        #expect(try ForeignWeights(path: good).tensors["w"]?.shape == [2, 3])
        // Their product is 2^64 + 6464.
        let bad = try folder.file(
            legacy(storage: 6464, sizes: [859, 859, 761, 409, 167, 167, 40, 72]), name: "bad.pth")
        #expect(throws: ImportError.self) { try ForeignWeights(path: bad) }
    }
}
