import Foundation
import Tensor

/// A file that PyTorch saved: the ZIP form of 1.6 and later, TorchScript's, the legacy form before these, or the tar form before
/// 0.1.10.
struct TorchFile {
    private let root: PickleValue
    private let heap: PickleHeap
    private let storages: [String: ArraySlice<UInt8>]

    init(_ bytes: [UInt8]) throws(ImportError) {
        if ZipArchive.isZip(bytes) {
            (root, heap, storages) = try Self.archived(bytes)
        } else if TarArchive.isTar(bytes) {
            (root, heap, storages) = try Self.taped(bytes)
        } else {
            (root, heap, storages) = try Self.legacy(bytes)
        }
    }

    private static func archived(
        _ bytes: [UInt8]
    ) throws(ImportError) -> (PickleValue, PickleHeap, [String: ArraySlice<UInt8>]) {
        let archive = try ZipArchive(bytes)
        guard let name = archive.entries.keys.first(where: { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }),
            let pickle = archive[name]
        else { throw ImportError("expected PyTorch's data.pkl, not compressed, in the archive, found none") }
        let folder = name.dropLast("data.pkl".count) + "data/"
        var storages: [String: ArraySlice<UInt8>] = [:]
        for entry in archive.entries.keys where entry.hasPrefix(folder) {
            storages[String(entry.dropFirst(folder.count))] = archive[entry]
        }
        var unpickler = Unpickler(pickle)
        let root = try unpickler.value()
        return (root, unpickler.heap, storages)
    }

    /// Five pickles (magic number, protocol, system, object, keys of storages), then each storage's count and elements.
    private static func legacy(
        _ bytes: [UInt8]
    ) throws(ImportError) -> (PickleValue, PickleHeap, [String: ArraySlice<UInt8>]) {
        // LONG1 of ten bytes: 0x1950a86a20f9469cfc6c.
        let magic: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
        guard bytes.count > 14, bytes[0] == 0x80, bytes[2..<14].elementsEqual(magic) else {
            throw ImportError("expected a safetensors file or one that PyTorch saved, found neither")
        }
        var rest = bytes[...]
        var values: [(value: PickleValue, heap: PickleHeap)] = []
        for _ in 0..<5 {
            var unpickler = Unpickler(rest)
            values.append((try unpickler.value(), unpickler.heap))
            rest = rest[unpickler.end...]
        }
        let types = Dictionary(values[3].heap.storages.map { ($0.key, $0.type) }) { first, _ in first }
        var (cursor, storages) = (ByteCursor(rest), [String: ArraySlice<UInt8>]())
        for key in values[4].heap.items(values[4].value) ?? [] {
            guard let key = key.string, let type = types[key], let size = elementSize(type) else {
                throw ImportError("a storage that no tensor has, or of unknown type")
            }
            let count = try cursor.integer(8)
            guard count <= cursor.remaining / size else { throw ImportError("truncated: storage \(key)") }
            storages[key] = try cursor.take(count * size)
        }
        return (values[3].value, values[3].heap, storages)
    }

    static func elementSize(_ type: String) -> Int? {
        switch type {
        case "FloatStorage", "IntStorage": 4
        case "DoubleStorage", "LongStorage": 8
        case "HalfStorage", "BFloat16Storage", "ShortStorage": 2
        case "ByteStorage", "CharStorage", "BoolStorage": 1
        default: nil
        }
    }

    /// The tensors by name: of a module, or of the state_dict, which is the file's own or under one of these names.
    private func named() throws(ImportError) -> [(name: String, tensor: PickleTensor)] {
        if case .module(let place) = root { return heap.tensors(ofModule: place) }
        guard var pairs = heap.pairs(root) else {
            throw ImportError("expected a dictionary of tensors, found something else")
        }
        for name in ["state_dict", "model", "model_state_dict", "teacher"] {
            if let inner = pairs.last(where: { $0.key.string == name }), let own = heap.pairs(inner.value) {
                pairs = own
            }
        }
        return pairs.compactMap { key, value in
            guard let name = key.string, case .tensor(let view) = value else { return nil }
            return (name, view)
        }
    }

    /// The floating-point tensors.
    func stateDictionary() throws(ImportError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        // Tensors may share a storage, and a pickle of megabytes has room for a million tensors.
        var left = 4 * storages.values.reduce(0) { $0 + $1.count }
        for (name, view) in try named() where Self.isFloating(view.storage.type) {
            // DataParallel's prefix.
            let tensor = try tensor(view, name)
            left -= tensor.count
            guard left >= 0 else { throw ImportError("tensors that repeat the file's elements more than 16 times") }
            tensors[name.hasPrefix("module.") ? String(name.dropFirst(7)) : name] = tensor
        }
        guard !tensors.isEmpty else { throw ImportError("expected a state_dict, found no tensor with a name") }
        return tensors
    }

    private static func isFloating(_ type: String) -> Bool {
        ["FloatStorage", "DoubleStorage", "HalfStorage", "BFloat16Storage"].contains(type)
    }

    private func tensor(_ view: PickleTensor, _ name: String) throws(ImportError) -> Tensor {
        guard let bytes = storages[view.storage.key], let size = Self.elementSize(view.storage.type) else {
            throw ImportError("tensor \(name): expected storage \(view.storage.key), found none")
        }
        let available = bytes.count / size
        let isSane = view.offset >= 0 && view.sizes.allSatisfy { $0 > 0 && $0 <= available } && view.sizes.count <= 8
        let last = zip(view.sizes, view.strides).reduce((view.offset, !isSane)) { sum, axis in
            let (span, first) = (axis.0 - 1).multipliedReportingOverflow(by: axis.1)
            let (total, second) = sum.0.addingReportingOverflow(span)
            return (total, sum.1 || axis.1 < 0 || first || second)
        }
        guard !last.1, last.0 < available else {
            throw ImportError("tensor \(name): expected it within its storage of \(available) elements")
        }
        let (count, isTooMany) = view.sizes.reduce((1, false)) { product, size in
            let (count, overflow) = product.0.multipliedReportingOverflow(by: size)
            return (count, product.1 || overflow)
        }
        guard !isTooMany, count <= available else { throw ImportError("tensor \(name): overlapping elements") }
        return bytes.withUnsafeBytes { raw in
            Tensor(shape: Shape(view.sizes)) { scalars in
                for index in scalars.indices {
                    scalars[index] = Self.element(raw, view.position(of: index), view.storage.type)
                }
            }
        }
    }

    private static func element(_ bytes: UnsafeRawBufferPointer, _ index: Int, _ type: String) -> Float {
        switch type {
        case "DoubleStorage": Float(bytes.loadUnaligned(fromByteOffset: 8 * index, as: Double.self))
        case "HalfStorage": Float(bytes.loadUnaligned(fromByteOffset: 2 * index, as: Float16.self))
        case "BFloat16Storage":
            Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)) << 16)
        default: bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
        }
    }
}
