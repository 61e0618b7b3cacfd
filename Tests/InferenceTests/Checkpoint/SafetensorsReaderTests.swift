import Foundation
import Inference
import Testing

@Suite("Reading safetensors")
struct SafetensorsReaderTests {
    @Test("every floating-point type that Python wrote gives Python's numbers")
    func types() throws {
        let numbers = try JSONDecoder().decode([String: [Float]].self, from: CheckpointFiles.data("mixed.json"))
        let (tensors, _) = try SafetensorsReader(path: CheckpointFiles.path("mixed.safetensors"))
            .tensors { $0.elementType.isFloatingPoint }
        #expect(tensors.mapValues(\.scalars) == numbers)
        #expect(tensors["single"]?.shape == [3, 2, 2])
        #expect(tensors["scalar"]?.shape == [])
    }

    @Test("the header lists types, shapes and text before any data is read")
    func header() throws {
        let header = try SafetensorsReader(path: CheckpointFiles.path("mixed.safetensors")).header
        #expect(header.metadata == ["author": "make.py", "unicode": "é \"quoted\" \n"])
        let types = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0.elementType) })
        #expect(
            types == [
                "double": .float64, "single": .float32, "half": .float16, "brain": .bfloat16, "scalar": .float32,
                "bytes": .uint8, "integers": .int64,
            ])
        #expect(header.entries.first { $0.name == "double" }?.dimensions == [2, 3])
    }

    @Test("the digest is that of sha256sum, whether tensors are read, passed over or not looked at")
    func digest() throws {
        let digests = try JSONDecoder().decode([String: String].self, from: CheckpointFiles.data("digests.json"))
        #expect(digests.count == 4)
        for (name, digest) in digests {
            let path = try CheckpointFiles.path(name)
            #expect(try SafetensorsReader(path: path).digest() == digest)
            #expect(
                try SafetensorsReader(path: path).tensors { $0.elementType == .float32 && $0.count > 0 }.digest
                    == digest)
            #expect(try SafetensorsReader(path: path).tensors { _ in false }.digest == digest)
        }
    }

    @Test("a tensor of integers is refused by name unless passed over")
    func integers() throws {
        let path = try CheckpointFiles.path("mixed.safetensors")
        #expect(
            throws: CheckpointError(
                file: path, reason: .elementType(tensor: "integers", expected: "F32, F16, BF16 or F64", found: "I64"))
        ) {
            _ = try SafetensorsReader(path: path).tensors { $0.name != "bytes" }
        }
    }

    @Test("half floats convert exactly at the ends of their range, subnormals included")
    func halfFloats() throws {
        let folder = try ScratchFolder()
        let header = "{\(CheckpointFiles.entry("h", "F16", "[4]", "[0,8]"))}"
        let data: [UInt8] = [0x01, 0x00, 0xFF, 0x7B, 0x00, 0x80, 0xFF, 0x83]
        let path = try folder.file(CheckpointFiles.safetensors(header, data: data))
        let (tensors, _) = try SafetensorsReader(path: path).tensors()
        let expected: [Float] = [0x1p-24, 65504, -0.0, -0x1.FF8p-15]
        #expect(bits(tensors["h"]) == expected.map(\.bitPattern))
    }
}
