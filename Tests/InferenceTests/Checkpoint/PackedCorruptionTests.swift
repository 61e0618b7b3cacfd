import Foundation
import Inference
import Testing

private typealias Files = CheckpointFiles

@Suite("Damaged packed weights")
struct PackedCorruptionTests {
    /// A file with one weight `w`, packed as told.
    private func load(
        shape: String, mask: [UInt8], values: Int, maskType: String = "U8", maskShape: String? = nil, extra: String = ""
    ) throws -> Checkpoint {
        var configuration = Files.configuration
        configuration.pruning = nil
        let json = try configuration.json().dropLast() + #","pruning":{"packed":{"w":\#(shape)}}}"#
        let quoted = String(decoding: try JSONEncoder().encode(String(json)), as: UTF8.self)
        let end = 4 * values + mask.count
        let header =
            "{\"__metadata__\":{\"triptych\":\(quoted)},\(Files.entry("w.values", "F32", "[\(values)]", "[0,\(4 * values)]")),"
            + Files.entry("w.mask", maskType, maskShape ?? "[\(mask.count)]", "[\(4 * values),\(end)]") + extra + "}"
        let data = (0..<values).flatMap { _ in [0, 0, 0x80, 0x3F] as [UInt8] } + mask
        let folder = try ScratchFolder()
        return try Checkpoint.load(path: folder.file(Files.safetensors(header, data: data)))
    }

    private func expectRefusal(_ message: String, _ body: () throws -> Checkpoint) {
        #expect {
            _ = try body()
        } throws: { error in
            error is CheckpointError && "\(error)".contains(message)
        }
    }

    @Test("a sound one is read")
    func sound() throws {
        let checkpoint = try load(shape: "[3,3]", mask: [0b1000_0001, 1], values: 3)
        #expect(checkpoint.weights["w"]?.scalars == [1, 0, 0, 0, 0, 0, 0, 1, 1])
    }

    @Test("a mask of another length than the shape's")
    func length() {
        expectRefusal("tensor w: expected 2 bytes of mask for shape [3, 3], found 1") {
            try load(shape: "[3,3]", mask: [1], values: 1)
        }
    }

    @Test("a mask with more or fewer bits than there are values", arguments: [0, 2])
    func count(values: Int) {
        expectRefusal("tensor w: expected 1 values, the bits of its mask, found \(values)") {
            try load(shape: "[4]", mask: [1], values: values)
        }
    }

    @Test("a bit beyond the last element")
    func padding() {
        expectRefusal("tensor w: expected no bit beyond element 3") {
            try load(shape: "[4]", mask: [0b10000], values: 1)
        }
    }

    @Test(
        "a shape that overflows, is empty or is none", arguments: ["[4294967296,4294967296]", "[0]", "[-1]", "{}", "2"])
    func shape(text: String) {
        expectRefusal("pruning.packed: expected shapes") { try load(shape: text, mask: [1], values: 1) }
    }

    @Test("a shape as large as a number can be")
    func hugeShape() {
        expectRefusal("bytes of mask") { try load(shape: "[9223372036854775807]", mask: [1], values: 1) }
    }

    @Test("a mask of another type, or one beside the whole tensor")
    func types() {
        expectRefusal("found w.mask of F16") {
            try load(shape: "[2]", mask: [0, 0], values: 0, maskType: "F16", maskShape: "[1]")
        }
        let whole = "," + Files.entry("w", "U8", "[0]", "[5,5]")
        expectRefusal("found a whole one too") { try load(shape: "[2]", mask: [1], values: 1, extra: whole) }
    }
}
