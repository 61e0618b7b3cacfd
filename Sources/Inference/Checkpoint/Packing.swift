import Documents
import Tensor

/// Which tensors of a checkpoint are packed or narrow, and how.
///
/// A packed tensor `NAME` is stored as `NAME.mask` and `NAME.values`, neither of which tells the shape; so the
/// configuration's `pruning` lists it: `{"packed": {NAME: [768, 3072]}}`. A narrow one is listed in `quantization`,
/// `{"precision": {NAME: "int8"}}`, and stored as `NAME.codes` and `NAME.scales`, or as bfloat16s. These lists describe the
/// file, not the model: they are taken off on reading, and put there on writing.
struct Packing {
    private static let key = "packed"
    /// PyTorch's batch norms count their steps in a 64-bit integer, which nobody here reads.
    private static let ignoredSuffix = "num_batches_tracked"

    private let shapes: [String: Shape]
    private let precisions: [String: Precision]
    /// The packed tensors.
    var paths: Set<String> { Set(shapes.keys) }

    /// Takes the lists off the configuration, and checks that the file holds what they say.
    ///
    /// Throws `CheckpointError.Reason`.
    init(_ header: SafetensorsHeader, _ configuration: inout ModelConfiguration) throws {
        shapes = try Self.takeShapes(off: &configuration.pruning)
        precisions = try Self.takePrecisions(off: &configuration.quantization)
        let entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
        for name in shapes.keys {
            if entries[name] != nil {
                throw CheckpointError.Reason.mask(tensor: name, expected: "a packed tensor", found: "a whole one too")
            }
            try Self.check(entries[name + PackedTensor.maskSuffix], of: name, is: .uint8)
            try Self.check(entries[name + PackedTensor.valuesSuffix], of: name, is: .float32)
        }
        for (name, precision) in precisions { try check(name, precision, entries) }
        for entry in header.entries where part(entry.name) == .whole { try entry.checkIsTensor() }
    }

    /// Reads all weights, and the file's digest.
    ///
    /// Throws `CheckpointError`.
    func weights(_ reader: consuming SafetensorsReader, path: String) throws -> (weights: Weights, digest: String) {
        var weights = Weights()
        var masks: [String: [UInt8]] = [:]
        var values: [String: [Float]] = [:]
        var codes: [String: (codes: [Int8], shape: Shape)] = [:]
        let digest = try reader.read { entry, file in
            switch part(entry.name) {
            case .whole where precisions[entry.name] == .bfloat16:
                weights.set(entry.name, .halves(try file.halves(entry), Shape(entry.dimensions)))
            case .whole: weights[entry.name] = try file.tensor(entry)
            case .mask(let name): masks[name] = try file.bytes(entry.range.count)
            case .values(let name): values[name] = try file.floats(entry)
            case .codes(let name):
                codes[name] = (try file.integers(entry.range.count), Shape(entry.dimensions))
            case .ignored: try file.skip(entry.range.count)
            }
        }
        try CheckpointError.naming(path) {
            for (name, shape) in shapes {
                let packed = PackedTensor(mask: masks[name] ?? [], values: values[name] ?? [])
                weights[name] = try packed.unpacked(name, shape: shape)
            }
            for (name, stored) in codes {
                let coded = try CodedTensor(
                    name, codes: stored.codes, scales: values[name] ?? [], shape: stored.shape)
                weights.set(name, .coded(coded))
            }
        }
        return (weights, digest)
    }

    /// What an entry of the file is for.
    private enum Part: Equatable {
        case whole, ignored
        case mask(String)
        /// Kept values, or scales.
        case values(String)
        case codes(String)
    }

    private func part(_ entry: String) -> Part {
        let parts: [(suffix: String, part: (String) -> Part, isListed: (String) -> Bool)] = [
            (PackedTensor.maskSuffix, Part.mask, { shapes[$0] != nil }),
            (PackedTensor.valuesSuffix, Part.values, { shapes[$0] != nil }),
            (CodedTensor.codesSuffix, Part.codes, { precisions[$0] == .int8 }),
            (CodedTensor.scalesSuffix, Part.values, { precisions[$0] == .int8 }),
        ]
        for (suffix, part, isListed) in parts where entry.hasSuffix(suffix) {
            let name = String(entry.dropLast(suffix.count))
            if isListed(name) { return part(name) }
        }
        return entry.hasSuffix(Self.ignoredSuffix) ? .ignored : .whole
    }

    private static func check(
        _ entry: SafetensorsHeader.Entry?, of name: String, is elementType: ElementType
    ) throws {
        guard let entry, entry.elementType == elementType else {
            throw CheckpointError.Reason.mask(
                tensor: name, expected: "its mask (U8) and its values (F32)",
                found: entry.map { "\($0.name) of \($0.elementType.rawValue)" } ?? "only one or none of them")
        }
    }

    /// That a narrow tensor is there as its precision has it, and nothing else of that name.
    private func check(
        _ name: String, _ precision: Precision, _ entries: [String: SafetensorsHeader.Entry]
    ) throws {
        func refuse(_ expected: String, _ found: String) throws -> Never {
            throw CheckpointError.Reason.precision(tensor: name, expected: expected, found: found)
        }
        if shapes[name] != nil { try refuse("a packed or a narrow tensor", "both") }
        let whole = entries[name]?.elementType.rawValue
        guard precision == .int8 else {
            if whole != ElementType.bfloat16.rawValue { try refuse("elements of type BF16", whole ?? "none") }
            return
        }
        if let whole { try refuse("codes and scales", "\(name) of \(whole)") }
        let found = [CodedTensor.codesSuffix, CodedTensor.scalesSuffix].map { entries[name + $0]?.elementType }
        if found != [.int8, .float32] {
            try refuse(
                "its codes (I8) and its scales (F32)",
                found.map { $0?.rawValue ?? "none" }.joined(separator: " and "))
        }
    }
}

extension Packing {
    private static func takeShapes(off pruning: inout JSONValue?) throws -> [String: Shape] {
        guard var members = pruning?.object, let list = members.removeValue(forKey: key) else { return [:] }
        pruning = members.isEmpty ? nil : .object(members)
        guard let shapes = list.object else {
            throw refusal("pruning.\(key)", expected: "an object of shapes", found: list)
        }
        return try shapes.mapValues { value in
            guard let sizes = value.sizes, !sizes.contains(0), sizes.count <= 8, sizes.checkedProduct != nil else {
                throw refusal("pruning.\(key)", expected: "shapes of at most 8 positive sizes", found: value)
            }
            return Shape(sizes)
        }
    }

    private static func refusal(_ field: String, expected: String, found: JSONValue) -> CheckpointError.Reason {
        .configuration(.invalid(field: field, expected: expected, found: found.summary))
    }

    private static let precisionKey = "precision"

    private static func takePrecisions(off quantization: inout JSONValue?) throws -> [String: Precision] {
        guard var members = quantization?.object, let list = members.removeValue(forKey: precisionKey) else {
            return [:]
        }
        quantization = .object(members)
        let field = "quantization.\(precisionKey)"
        guard let precisions = list.object else {
            throw refusal(field, expected: "an object of precisions", found: list)
        }
        return try precisions.mapValues { value in
            guard let precision = value.string.flatMap(Precision.init(rawValue:)), precision != .float32 else {
                throw refusal(field, expected: "int8 or bf16", found: value)
            }
            return precision
        }
    }

    /// The entries that hold `weights`, those in `packed` without their zeros; their shapes and the precisions of narrow ones
    /// go into the configuration.
    static func contents(
        of weights: Weights, packed: Set<String>, _ configuration: inout ModelConfiguration
    ) throws -> [String: SafetensorsWriter.Content] {
        var contents: [String: SafetensorsWriter.Content] = [:]
        var shapes: [String: JSONValue] = [:]
        for path in weights.paths {
            guard let held = weights.held(path) else { continue }
            switch weights.formats[path] ?? .float32 {
            case .bfloat16: contents[path] = .halves(held.halves, held.shape)
            case .int8(let scales):
                contents[path + CodedTensor.codesSuffix] = .codes(held.codes(scales: scales), held.shape)
                contents[path + CodedTensor.scalesSuffix] = .values(scales)
            case .float32:
                let tensor = held.tensor
                guard packed.contains(path) else {
                    contents[path] = .tensor(tensor)
                    continue
                }
                let parts = PackedTensor(packing: tensor)
                contents[path + PackedTensor.maskSuffix] = .bytes(parts.mask)
                contents[path + PackedTensor.valuesSuffix] = .values(parts.values)
                shapes[path] = .array(tensor.shape.dimensions.map(JSONValue.integer))
            }
        }
        if !shapes.isEmpty { put(shapes, key, into: &configuration.pruning) }
        // What says how a model became narrow says nothing once none of it is.
        if weights.formats.isEmpty {
            configuration.quantization = nil
        } else {
            let precisions = weights.formats.mapValues { JSONValue.string($0.precision.rawValue) }
            put(precisions, precisionKey, into: &configuration.quantization)
        }
        return contents
    }

    private static func put(_ list: [String: JSONValue], _ key: String, into value: inout JSONValue?) {
        var members = value?.object ?? [:]
        members[key] = .object(list)
        value = .object(members)
    }
}
