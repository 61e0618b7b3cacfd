import Foundation
import Inference
import Testing

private typealias Files = CheckpointFiles

@Suite("Damaged and hostile safetensors files")
struct SafetensorsCorruptionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let reason: CheckpointError.Reason

        init(_ name: String, _ bytes: [UInt8], _ reason: CheckpointError.Reason) {
            (self.name, self.bytes, self.reason) = (name, bytes, reason)
        }

        /// A file of one or more entries.
        init(_ name: String, _ entries: String..., data: [UInt8] = [], reason: CheckpointError.Reason) {
            self.init(name, Files.safetensors("{\(entries.joined(separator: ","))}", data: data), reason)
        }

        var testDescription: String { name }
    }

    static let zeros = [UInt8](repeating: 0, count: 8)

    static let lengths = [
        Case("an empty file", [], .truncated(expected: 8, found: 0)),
        Case("half a length", [1, 2, 3], .truncated(expected: 8, found: 3)),
        Case(
            "another kind of file", Array("\u{89}PNG and more".utf8),
            .headerTooLarge(limit: 16 << 20, found: 0x6E61_2047_4E50_89C2)),
        Case(
            "a length beyond 63 bits", Files.safetensors("{}", length: .max),
            .headerTooLarge(limit: 16 << 20, found: .max)),
        Case("a header longer than the file", Files.safetensors("{}", length: 3), .truncated(expected: 11, found: 10)),
        Case(
            "missing data", Files.entry("a", "F32", "[2]", "[0,8]"), data: [0],
            reason: .truncated(expected: 8, found: 1)),
        Case(
            "data of no tensor", Files.entry("a", "F32", "[1]", "[0,4]"), data: zeros,
            reason: .trailingBytes(expected: 4, found: 8)),
    ]

    static let ranges = [
        Case(
            "overlapping tensors", Files.entry("a", "F32", "[2]", "[0,8]"), Files.entry("b", "F32", "[1]", "[4,8]"),
            data: zeros, reason: .offset(tensor: "b", expected: 8, found: 4)),
        Case(
            "a hole between tensors", Files.entry("a", "U8", "[1]", "[0,1]"), Files.entry("b", "F32", "[1]", "[4,8]"),
            data: zeros, reason: .offset(tensor: "b", expected: 1, found: 4)),
        Case(
            "a hole at the beginning", Files.entry("a", "F32", "[1]", "[4,8]"), data: zeros,
            reason: .offset(tensor: "a", expected: 0, found: 4)),
        Case(
            "a range too short for the shape", Files.entry("a", "F32", "[3]", "[0,8]"), data: zeros,
            reason: .byteCount(tensor: "a", expected: 12, found: 8)),
        Case(
            "an offset beyond the file",
            Files.entry("a", "U8", "[9223372036854775807]", "[0,9223372036854775807]"), data: zeros,
            reason: .truncated(expected: .max, found: 8)),
        Case(
            "a shape that overflows", Files.entry("a", "F32", "[4294967296,4294967296]", "[0,8]"), data: zeros,
            reason: .entry(
                tensor: "a", expected: "a shape whose size can be counted", found: "[4294967296,4294967296]")),
        Case(
            "a range that ends before it begins", Files.entry("a", "F32", "[1]", "[8,4]"), data: zeros,
            reason: .entry(tensor: "a", expected: "data_offsets of a beginning and an end", found: "[8,4]")),
    ]

    static let entries = [
        Case(
            "a negative size", Files.entry("a", "F32", "[-1]", "[0,8]"), data: zeros,
            reason: .entry(tensor: "a", expected: "a shape of at most 8 sizes", found: "[-1]")),
        Case(
            "a size that is not whole", Files.entry("a", "F32", "[1.5]", "[0,8]"), data: zeros,
            reason: .entry(tensor: "a", expected: "a shape of at most 8 sizes", found: "[1.5]")),
        Case(
            "an unknown type", Files.entry("a", "F8_E5M2", "[8]", "[0,8]"), data: zeros,
            reason: .entry(tensor: "a", expected: "a dtype of F64, F32, F16, BF16, I64, I8, U8", found: "\"F8_E5M2\"")),
        Case(
            "no shape", #""a":{"dtype":"F32","data_offsets":[0,8]}"#, data: zeros,
            reason: .entry(
                tensor: "a", expected: "dtype, shape and data_offsets", found: #"{"data_offsets":[0,8],"dtype":"F32"}"#)
        ),
        Case(
            "a tensor without elements", Files.entry("a", "F32", "[0,3]", "[0,0]"),
            reason: .entry(tensor: "a", expected: "at least one element", found: "shape [0, 3]")),
        Case(
            "integers", Files.entry("a", "I64", "[1]", "[0,8]"), data: zeros,
            reason: .elementType(tensor: "a", expected: "F32, F16, BF16 or F64", found: "I64")),
    ]

    static let headers = [
        Case(
            "two tensors of one name", Files.entry("a", "F32", "[1]", "[0,4]"), Files.entry("a", "F32", "[1]", "[0,4]"),
            data: [0, 0, 0, 0], reason: .notSafetensors("not JSON: expected no second \"a\" at byte 54")),
        Case(
            "metadata that is not text", #""__metadata__":{"n":1}"#,
            reason: .notSafetensors("expected strings in __metadata__, found 1")),
        Case(
            "metadata that is no object", #""__metadata__":"n""#,
            reason: .notSafetensors("expected an object as __metadata__, found \"n\"")),
        Case(
            "an array as header", Files.safetensors("[]"), .notSafetensors("expected a header that begins with '{'")),
        Case(
            "a header after white space", Files.safetensors(" {}"),
            .notSafetensors("expected a header that begins with '{'")),
        Case("an open header", Files.safetensors("{"), .notSafetensors("not JSON: expected a key at byte 1")),
        Case(
            "text after the header", Files.safetensors("{} {}"),
            .notSafetensors("not JSON: expected the end at byte 3")),
    ]

    static let numbers = [
        Case(
            "a NaN", Files.entry("a", "F32", "[2]", "[0,8]"), data: [0, 0, 0, 0, 0, 0, 0xC0, 0x7F],
            reason: .notFinite(tensor: "a", index: 1)),
        Case(
            "a negative infinity", Files.entry("a", "F32", "[2,1]", "[0,8]"), data: [0, 0, 0x80, 0xFF, 0, 0, 0, 0],
            reason: .notFinite(tensor: "a", index: 0)),
        Case(
            "a half float's infinity", Files.entry("a", "F16", "[2]", "[0,4]"), data: [0, 0, 0x00, 0x7C],
            reason: .notFinite(tensor: "a", index: 1)),
        Case(
            "a double that no float can hold", Files.entry("a", "F64", "[1]", "[0,8]"),
            data: [0, 0, 0, 0, 0, 0, 0xF0, 0x7E], reason: .notFinite(tensor: "a", index: 0)),
    ]

    @Test("are refused with what was expected and found", arguments: lengths + ranges + entries + headers + numbers)
    func refused(_ damage: Case) throws {
        let folder = try ScratchFolder()
        let path = try folder.file(damage.bytes)
        #expect(throws: CheckpointError(file: path, reason: damage.reason)) {
            _ = try SafetensorsReader(path: path).tensors()
        }
    }

    @Test("name the file and the tensor in their message")
    func message() throws {
        let error = CheckpointError(file: "m.safetensors", reason: .notFinite(tensor: "head.weight", index: 7))
        #expect(
            "\(error)"
                == "m.safetensors: tensor head.weight: expected finite numbers, found an infinity or a NaN at index 7")
    }

    @Test("a file that is absent, a folder or a pipe is an error, and nothing waits for the pipe's writer")
    func notFiles() throws {
        let folder = try ScratchFolder()
        let absent = folder.path("absent")
        #expect(throws: CheckpointError(file: absent, reason: .system(operation: "open", code: ENOENT))) {
            _ = try SafetensorsReader(path: absent)
        }
        let pipe = folder.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [folder.path(""), pipe] {
            #expect(throws: CheckpointError(file: path, reason: .notAFile)) { _ = try SafetensorsReader(path: path) }
        }
    }
}
