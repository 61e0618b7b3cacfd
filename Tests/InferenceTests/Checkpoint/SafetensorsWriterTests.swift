import Foundation
import Inference
import Tensor
import Testing

@Suite("Writing safetensors")
struct SafetensorsWriterTests {
    private let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
    }

    @Test("what is written is read back bit for bit, with its text")
    func roundTrip() throws {
        let tensors = CheckpointFiles.weights.tensors
        let metadata = ["a": "é \"\\/\n\u{1}", "b": ""]
        let path = folder.path("file")
        let digest = try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
        #expect(try SafetensorsReader(path: path).header.metadata == metadata)
        let read = try SafetensorsReader(path: path).tensors()
        #expect(read.digest == digest)
        #expect(read.tensors.mapValues(\.shape) == tensors.mapValues(\.shape))
        for (name, tensor) in tensors { #expect(bits(read.tensors[name]) == bits(tensor)) }
    }

    @Test("equal contents give equal bytes, whatever order they were put together in")
    func determinism() throws {
        let names = (0..<50).map { "tensor.\($0)" }
        var files: [Data] = []
        for order in [names, names.reversed()] {
            var tensors: [String: Tensor] = [:]
            for name in order { tensors[name] = Tensor([Float(name.count)], shape: [1]) }
            let metadata = Dictionary(uniqueKeysWithValues: order.map { ($0, "text") })
            try SafetensorsWriter.write(tensors, metadata: metadata, to: folder.path("file"))
            files.append(try Data(contentsOf: URL(fileURLWithPath: folder.path("file"))))
        }
        #expect(files[0] == files[1])
    }

    @Test("the digest is the SHA-256 of the file, whose data begins at a multiple of eight")
    func digestAndAlignment() throws {
        for length in 1...9 {
            let name = String(repeating: "n", count: length)
            let digest = try SafetensorsWriter.write([name: Tensor([1], shape: [1])], to: folder.path("file"))
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path("file")))
            #expect(try SafetensorsReader(path: folder.path("file")).digest() == digest)
            #expect((bytes.count - 4).isMultiple(of: 8))
            #expect(bytes[8] == UInt8(ascii: "{"))
        }
    }

    @Test("no tensors at all make a file that can be read")
    func empty() throws {
        try SafetensorsWriter.write([:], to: folder.path("file"))
        #expect(try SafetensorsReader(path: folder.path("file")).tensors().tensors.isEmpty)
    }

    @Test("a failed write leaves neither a new file nor the old one changed", arguments: [Float.nan, .infinity])
    func failure(value: Float) throws {
        let path = folder.path("file")
        let bad = ["a": Tensor([1, 2], shape: [2]), "b": Tensor([0, 0, value], shape: [3])]
        let expected = CheckpointError(file: path, reason: .notFinite(tensor: "b", index: 2))
        #expect(throws: expected) { try SafetensorsWriter.write(bad, to: path) }
        #expect(try folder.contents.isEmpty)
        let digest = try SafetensorsWriter.write(["a": Tensor([1], shape: [])], to: path)
        #expect(throws: expected) { try SafetensorsWriter.write(bad, to: path) }
        #expect(try folder.contents == ["file"])
        #expect(try SafetensorsReader(path: path).digest() == digest)
    }

    @Test("a destination that cannot be replaced is an error, and nothing stays behind")
    func unreachable() throws {
        let tensors = ["a": Tensor([1], shape: [])]
        let nowhere = folder.path("absent/file")
        #expect(throws: CheckpointError(file: nowhere, reason: .system(operation: "create", code: ENOENT))) {
            try SafetensorsWriter.write(tensors, to: nowhere)
        }
        let taken = folder.path("taken")
        try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: false)
        #expect(throws: CheckpointError(file: taken, reason: .system(operation: "rename", code: EISDIR))) {
            try SafetensorsWriter.write(tensors, to: taken)
        }
        #expect(try folder.contents == ["taken"])
    }

    @Test("a tensor under the metadata's key is refused")
    func reservedName() throws {
        #expect(throws: CheckpointError.self) {
            try SafetensorsWriter.write(["__metadata__": Tensor([1], shape: [])], to: folder.path("file"))
        }
        #expect(try folder.contents.isEmpty)
    }

    @Test("a reader that opened the old file reads the old file to its end")
    func replacedWhileRead() throws {
        let path = folder.path("file")
        let digest = try SafetensorsWriter.write(["a": Tensor([1], shape: [])], to: path)
        let reader = try SafetensorsReader(path: path)
        try SafetensorsWriter.write(["a": Tensor([2], shape: [])], to: path)
        let read = try reader.tensors()
        #expect(read.digest == digest)
        #expect(read.tensors["a"]?.scalars == [1])
    }

    @Test("a file that shrinks while it is read is an error")
    func shrinking() throws {
        let path = folder.path("file")
        try SafetensorsWriter.write(["a": Tensor([Float](repeating: 1, count: 5000), shape: [5000])], to: path)
        let reader = try SafetensorsReader(path: path)
        let size = Int(reader.header.dataLength)
        #expect(truncate(path, 1000) == 0)
        do {
            _ = try reader.tensors()
            Issue.record("read \(size) bytes of 1000")
        } catch {
            #expect("\(error)".contains("truncated"))
        }
    }
}
