import Documents
import Foundation
import Inference
import Tensor
import Testing

private typealias Files = CheckpointFiles

@Suite("Checkpoints with narrow weights")
struct NarrowCheckpointTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private var weights: Weights {
        var weights = CheckpointFiles.weights
        let matrix = Tensor([0.5, -1.27, 0.01, 3, 0.004, -2, 0, 0, 0], shape: [3, 3])
        let (rounded, format) = matrix.roundedToInt8()
        weights.set("coded.weight", rounded, format: format)
        weights.set("half.weight", matrix.roundedToBFloat16(), format: .bfloat16)
        return weights
    }

    @Test("rounding to int8 gives each output's largest element 127, and is off by half a step at most")
    func rounding() throws {
        let matrix = Tensor([0.5, -1.27, 0.016, 3, 0.004, -2, 0, 0, 0], shape: [3, 3])
        let (rounded, format) = matrix.roundedToInt8()
        guard case .int8(let scales) = format else { Issue.record("not int8"); return }
        for (scale, expected) in zip(scales, [1.27 / 127, 3 / 127, 1] as [Float]) {
            #expect(abs(scale - expected) < 1e-8)
        }
        for (index, (found, exact)) in zip(rounded.scalars, matrix.scalars).enumerated() {
            #expect(abs(found - exact) <= scales[index / 3] * 0.5001)
        }
        #expect(rounded.scalars[1] == -127 * scales[0] && rounded.scalars[3] == 127 * scales[1])
        // Rounding again changes nothing.
        #expect(rounded.roundedToInt8().tensor.scalars == rounded.scalars)
    }

    @Test("one saved by Python gives the numbers that it stands for")
    func fromPython() throws {
        let read = try Checkpoint.load(path: Files.path("narrow.safetensors"))
        let expected = try JSONDecoder().decode([String: [Float]].self, from: Files.data("narrow.json"))
        #expect(read.weights.tensors.mapValues(\.scalars) == expected)
        #expect(read.weights.formats == ["coded.weight": .int8(scales: [0.5, 0.0625, 3]), "half.weight": .bfloat16])
        #expect(read.configuration.quantization == .object(["plan": .string("int8")]))
    }

    @Test("what is saved is loaded, bit for bit, in its format")
    func roundTrip() throws {
        let weights = weights
        var configuration = Files.configuration
        configuration.quantization = .object(["parent": .string("abc")])
        let digest = try Checkpoint.save(configuration: configuration, weights: weights, to: folder.path("file"))
        let read = try Checkpoint.load(path: folder.path("file"))
        #expect(read.configuration == configuration && read.digest == digest)
        #expect(read.weights.formats == weights.formats && read.weights.formats.count == 2)
        for path in weights.paths { #expect(bits(read.weights[path]) == bits(weights[path]), "\(path)") }
        let header = try SafetensorsReader(path: folder.path("file")).header
        let entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
        #expect(entries["coded.weight.codes"]?.elementType == .int8 && entries["coded.weight.codes"]?.range.count == 9)
        #expect(entries["coded.weight.scales"]?.count == 3 && entries["half.weight"]?.elementType == .bfloat16)
        let again = try Checkpoint.save(
            configuration: read.configuration, weights: read.weights, to: folder.path("again"))
        #expect(again == digest)
    }

    @Test("a tensor that is changed is no longer narrow, and a model without narrow ones says nothing of it")
    func changed() throws {
        var weights = weights
        weights["coded.weight"] = weights["coded.weight"]?.scaled(by: 2)
        #expect(weights.formats == ["half.weight": .bfloat16])
        weights["half.weight"] = weights["half.weight"]?.scaled(by: 2)
        var configuration = Files.configuration
        configuration.quantization = .object(["parent": .string("abc")])
        try Checkpoint.save(configuration: configuration, weights: weights, to: folder.path("file"))
        #expect(try Checkpoint.load(path: folder.path("file")).configuration.quantization == nil)
    }

    /// A file with one weight `w` of two codes an output.
    private func load(
        codes: [UInt8] = [127, 0x81, 0, 1], scales: [Float] = [0.5, 2], precision: String = #""int8""#,
        type: String = "I8", name: String = "w.codes", extra: String = "", shape: String = "[2,2]"
    ) throws -> Checkpoint {
        let json = try Files.configuration.json().dropLast() + #","quantization":{"precision":{"w":\#(precision)}}}"#
        let quoted = String(decoding: try JSONEncoder().encode(String(json)), as: UTF8.self)
        let (length, end) = (4 * scales.count, 4 * scales.count + codes.count)
        let header =
            "{\"__metadata__\":{\"triptych\":\(quoted)},\(Files.entry("w.scales", "F32", "[\(scales.count)]", "[0,\(length)]")),"
            + Files.entry(name, type, shape, "[\(length),\(end)]") + extra + "}"
        let data = scales.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) } + codes
        return try Checkpoint.load(path: folder.file(Files.safetensors(header, data: data)))
    }

    private func expectRefusal(_ message: String, _ body: () throws -> Checkpoint) {
        #expect {
            _ = try body()
        } throws: { error in
            guard let error = error as? CheckpointError else { return false }
            if !"\(error)".contains(message) { print("found: \(error)") }
            return "\(error)".contains(message)
        }
    }

    @Test("a sound one is read")
    func sound() throws {
        #expect(try load().weights["w"]?.scalars == [63.5, -63.5, 0, 2])
        #expect(try load().weights.formats == ["w": .int8(scales: [0.5, 2])])
    }

    @Test(
        "scales that are zero, negative, too small or no numbers",
        arguments: [0, -1, Float.leastNormalMagnitude / 128, .infinity, .nan])
    func scales(value: Float) {
        let message = value.isFinite ? "tensor w: expected scales above 0" : "found an infinity or a NaN at index 1"
        expectRefusal(message) { try load(scales: [1, value]) }
    }

    @Test("too few scales, too many, none; codes of one axis; scales of which weights would be infinite")
    func sizes() {
        expectRefusal("found shape [2, 2] and 1 scales") { try load(scales: [1]) }
        expectRefusal("found shape [2, 2] and 3 scales") { try load(scales: [1, 1, 1]) }
        expectRefusal("found shape [4] and 4 scales") { try load(scales: [1, 1, 1, 1], shape: "[4]") }
        expectRefusal("found I8 and none") { try load(name: "w.codes", extra: "").renamedScales(folder) }
        expectRefusal("expected scales of finite weights") { try load(scales: [3e38, 1]) }
    }

    @Test("codes of another type, under another name, a code of -128, or a whole tensor beside")
    func codes() {
        expectRefusal("tensor w: expected its codes (I8) and its scales (F32), found U8 and F32") {
            try load(type: "U8")
        }
        expectRefusal("found none and F32") { try load(name: "v.codes") }
        expectRefusal("expected codes from -127 to 127, found -128 at index 2") { try load(codes: [1, 2, 0x80, 4]) }
        let whole = "," + Files.entry("w", "U8", "[0]", "[12,12]")
        expectRefusal("expected codes and scales, found w of U8") { try load(extra: whole) }
    }

    @Test("precisions that nobody knows", arguments: [#""int4""#, #""float32""#, "8", "null"])
    func precisions(text: String) {
        expectRefusal("quantization.precision: expected int8 or bf16") { try load(precision: text) }
    }

    @Test("a weight of bfloat16 that the file has as something else")
    func halves() {
        expectRefusal("tensor w: expected elements of type BF16, found none") { try load(precision: #""bf16""#) }
    }
}

extension Checkpoint {
    /// The same file without its scales' entry under that name.
    fileprivate func renamedScales(_ folder: ScratchFolder) throws -> Checkpoint {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path("file.safetensors"))))
        let name = Array("w.scales".utf8)
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: name) }) else { return self }
        bytes[start] = UInt8(ascii: "v")
        return try Checkpoint.load(path: folder.file(bytes))
    }
}
