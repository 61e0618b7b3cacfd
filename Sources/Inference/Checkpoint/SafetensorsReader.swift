import Tensor

/// Reads a safetensors file: its header when made, its data once, front to back.
///
/// Everything is checked before use: the header's length and grammar, each tensor's type and range, that the ranges
/// cover the file without hole or overlap, and that every number is finite.
public struct SafetensorsReader: ~Copyable {
    /// What the file holds.
    public let header: SafetensorsHeader
    private let path: String
    private var file: InputFile

    /// Opens a file and reads its header.
    ///
    /// Throws `CheckpointError`.
    public init(path: String) throws {
        self = try CheckpointError.naming(path) {
            var file = try InputFile(path: path)
            let header = try Self.header(&file)
            return SafetensorsReader(path: path, header: header, file: file)
        }
    }

    private init(path: String, header: SafetensorsHeader, file: consuming InputFile) {
        self.path = path
        self.header = header
        self.file = file
    }

    /// Reads the tensors that are kept, as `Float`s whatever floating-point type they have in the file.
    ///
    /// Throws `CheckpointError`, for an integer or an empty tensor among the kept ones before any data is read.
    /// - Returns: the tensors by name, and the SHA-256 of the whole file's bytes, in hexadecimal.
    public consuming func tensors(
        keeping isKept: (SafetensorsHeader.Entry) -> Bool = { _ in true }
    ) throws -> (tensors: [String: Tensor], digest: String) {
        try CheckpointError.naming(path) {
            for entry in header.entries where isKept(entry) { try entry.checkIsTensor() }
        }
        var tensors: [String: Tensor] = [:]
        let digest = try read { entry, file in
            if isKept(entry) {
                tensors[entry.name] = try file.tensor(entry)
            } else {
                try file.skip(entry.range.count)
            }
        }
        return (tensors, digest)
    }

    /// Reads some tensors as `Float`s, and some of 64-bit integers. Others are not looked at, nor are names that the file does not
    /// have.
    ///
    /// Throws `CheckpointError`, for an entry of another type before any data is read.
    public consuming func contents(
        vectors: Set<String>, integers: Set<String>
    ) throws -> (vectors: [String: Tensor], integers: [String: [Int]]) {
        try CheckpointError.naming(path) {
            for entry in header.entries where vectors.contains(entry.name) { try entry.checkIsTensor() }
            for entry in header.entries where integers.contains(entry.name) && entry.elementType != .int64 {
                throw CheckpointError.Reason.elementType(
                    tensor: entry.name, expected: ElementType.int64.rawValue, found: entry.elementType.rawValue)
            }
        }
        var (found, numbers) = ([String: Tensor](), [String: [Int]]())
        _ = try read { entry, file in
            if vectors.contains(entry.name) {
                found[entry.name] = try file.tensor(entry)
            } else if integers.contains(entry.name) {
                numbers[entry.name] = try file.integers(entry.count)
            } else {
                try file.skip(entry.range.count)
            }
        }
        return (found, numbers)
    }

    /// The SHA-256 of the whole file's bytes, in hexadecimal; its tensors are not looked at.
    ///
    /// Throws `CheckpointError`.
    public consuming func digest() throws -> String {
        try read { entry, file in try file.skip(entry.range.count) }
    }

    /// Gives each entry, in the file's order, to `body`, which has to read or skip its bytes.
    consuming func read(_ body: (SafetensorsHeader.Entry, inout InputFile) throws -> Void) throws -> String {
        try CheckpointError.naming(path) {
            for entry in header.entries { try body(entry, &file) }
            return file.digest
        }
    }

    private static func header(_ file: inout InputFile) throws -> SafetensorsHeader {
        guard file.remaining >= 8 else { throw CheckpointError.Reason.truncated(expected: 8, found: file.size) }
        let length = try file.bytes(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= SafetensorsHeader.maximumLength else {
            throw CheckpointError.Reason.headerTooLarge(limit: SafetensorsHeader.maximumLength, found: length)
        }
        guard Int(length) <= file.remaining else {
            throw CheckpointError.Reason.truncated(expected: 8 + Int(length), found: file.size)
        }
        let header = try SafetensorsHeader(parsing: file.bytes(Int(length)))
        // Compared without adding: an offset may be as large as an Int.
        if header.dataLength > file.remaining {
            throw CheckpointError.Reason.truncated(expected: header.dataLength, found: file.remaining)
        }
        if header.dataLength < file.remaining {
            throw CheckpointError.Reason.trailingBytes(expected: header.dataLength, found: file.remaining)
        }
        return header
    }
}

extension SafetensorsHeader.Entry {
    /// Checks that the entry can become a tensor of a model.
    func checkIsTensor() throws(CheckpointError.Reason) {
        guard elementType.isFloatingPoint else {
            throw .elementType(tensor: name, expected: "F32, F16, BF16 or F64", found: elementType.rawValue)
        }
        guard count > 0 else {
            throw .entry(tensor: name, expected: "at least one element", found: "shape \(dimensions)")
        }
    }
}
