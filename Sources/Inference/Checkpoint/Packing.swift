import Documents
import Tensor

/// Which tensors of a checkpoint are packed, and their shapes.
///
/// A packed tensor `NAME` is stored as `NAME.mask` and `NAME.values`, neither of which tells the shape; so the
/// configuration's `pruning` lists it: `{"packed": {NAME: [768, 3072]}}`. That list describes the file, not the model: it
/// is taken off on reading, and put there on writing.
struct Packing {
    private static let key = "packed"
    /// PyTorch's batch norms count their steps in a 64-bit integer, which nobody here reads.
    private static let ignoredSuffix = "num_batches_tracked"

    private let shapes: [String: Shape]
    /// The packed tensors.
    var paths: Set<String> { Set(shapes.keys) }

    /// Takes the list off `pruning`, and checks that the file holds what it says.
    ///
    /// Throws `CheckpointError.Reason`.
    init(_ header: SafetensorsHeader, pruning: inout JSONValue?) throws {
        shapes = try Self.takeShapes(off: &pruning)
        let entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
        for name in shapes.keys {
            if entries[name] != nil {
                throw CheckpointError.Reason.mask(tensor: name, expected: "a packed tensor", found: "a whole one too")
            }
            try Self.check(entries[name + PackedTensor.maskSuffix], of: name, is: .uint8)
            try Self.check(entries[name + PackedTensor.valuesSuffix], of: name, is: .float32)
        }
        for entry in header.entries where part(entry.name) == .whole { try entry.checkIsTensor() }
    }

    /// Reads all weights, and the file's digest.
    ///
    /// Throws `CheckpointError`.
    func weights(_ reader: consuming SafetensorsReader, path: String) throws -> (weights: Weights, digest: String) {
        var tensors: [String: Tensor] = [:]
        var masks: [String: [UInt8]] = [:]
        var values: [String: [Float]] = [:]
        let digest = try reader.read { entry, file in
            switch part(entry.name) {
            case .whole: tensors[entry.name] = try file.tensor(entry)
            case .mask(let name): masks[name] = try file.bytes(entry.range.count)
            case .values(let name): values[name] = try file.floats(entry)
            case .ignored: try file.skip(entry.range.count)
            }
        }
        try CheckpointError.naming(path) {
            for (name, shape) in shapes {
                let packed = PackedTensor(mask: masks[name] ?? [], values: values[name] ?? [])
                tensors[name] = try packed.unpacked(name, shape: shape)
            }
        }
        return (Weights(tensors), digest)
    }

    /// What an entry of the file is for.
    private enum Part: Equatable {
        case whole, ignored
        case mask(String)
        case values(String)
    }

    private func part(_ entry: String) -> Part {
        for (suffix, part) in [(PackedTensor.maskSuffix, Part.mask), (PackedTensor.valuesSuffix, Part.values)]
        where entry.hasSuffix(suffix) {
            let name = String(entry.dropLast(suffix.count))
            if shapes[name] != nil { return part(name) }
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
}

extension Packing {
    private static func takeShapes(off pruning: inout JSONValue?) throws -> [String: Shape] {
        guard var members = pruning?.object, let list = members.removeValue(forKey: key) else { return [:] }
        pruning = members.isEmpty ? nil : .object(members)
        guard let shapes = list.object else {
            throw refusal(expected: "an object of shapes", found: list)
        }
        return try shapes.mapValues { value in
            guard let sizes = value.sizes, !sizes.contains(0), sizes.count <= 8, sizes.checkedProduct != nil else {
                throw refusal(expected: "shapes of at most 8 positive sizes", found: value)
            }
            return Shape(sizes)
        }
    }

    private static func refusal(expected: String, found: JSONValue) -> CheckpointError.Reason {
        .configuration(.invalid(field: "pruning.\(key)", expected: expected, found: found.summary))
    }

    /// The entries that hold `weights`, those in `packed` without their zeros; their shapes go into `pruning`.
    static func contents(
        of weights: Weights, packed: Set<String>, pruning: inout JSONValue?
    ) throws -> [String: SafetensorsWriter.Content] {
        var contents: [String: SafetensorsWriter.Content] = [:]
        var shapes: [String: JSONValue] = [:]
        for (path, tensor) in weights.tensors {
            guard packed.contains(path) else {
                contents[path] = .tensor(tensor)
                continue
            }
            let parts = PackedTensor(packing: tensor)
            contents[path + PackedTensor.maskSuffix] = .bytes(parts.mask)
            contents[path + PackedTensor.valuesSuffix] = .values(parts.values)
            shapes[path] = .array(tensor.shape.dimensions.map(JSONValue.integer))
        }
        if !shapes.isEmpty {
            var members = pruning?.object ?? [:]
            members[key] = .object(shapes)
            pruning = .object(members)
        }
        return contents
    }
}
