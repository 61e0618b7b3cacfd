import Crypto
import Documents
import Tensor

/// Writes safetensors files, whole or not at all, with the same bytes for the same contents.
public enum SafetensorsWriter {
    /// Writes float32 tensors by name, with free text, replacing what is at `path`.
    ///
    /// Throws `CheckpointError`; what was at `path` is then still there.
    /// - Returns: the SHA-256 of the file's bytes, in hexadecimal.
    @discardableResult
    public static func write(
        _ tensors: [String: Tensor], metadata: [String: String] = [:], to path: String
    ) throws -> String {
        try write(tensors.mapValues(Content.tensor), metadata: metadata, to: path)
    }

    /// What one entry of a file holds.
    enum Content {
        case tensor(Tensor)
        case values([Float])
        case bytes([UInt8])
        case codes([Int8], Shape)
        /// bfloat16s.
        case halves([UInt16], Shape)
    }

    static func write(_ contents: [String: Content], metadata: [String: String], to path: String) throws -> String {
        try CheckpointError.naming(path) {
            let header = SafetensorsHeader(
                placing: try contents.map { name, content in try content.unplaced(name) }, metadata: metadata)
            var file = HashedFile(try DurableFile(replacing: path))
            try header.encoded().withUnsafeBytes { try file.write($0) }
            for entry in header.entries {
                try contents[entry.name]?.withUnsafeBytes(entry.name) { try file.write($0) }
            }
            return try file.commit()
        }
    }
}

extension SafetensorsWriter.Content {
    fileprivate func unplaced(_ name: String) throws -> SafetensorsHeader.Unplaced {
        guard name != SafetensorsHeader.metadataKey else {
            throw CheckpointError.Reason.entry(tensor: name, expected: "another name", found: "the metadata's key")
        }
        return switch self {
        case .tensor(let tensor): .init(name: name, elementType: .float32, dimensions: tensor.shape.dimensions)
        case .values(let values): .init(name: name, elementType: .float32, dimensions: [values.count])
        case .bytes(let bytes): .init(name: name, elementType: .uint8, dimensions: [bytes.count])
        case .codes(_, let shape): .init(name: name, elementType: .int8, dimensions: shape.dimensions)
        case .halves(_, let shape): .init(name: name, elementType: .bfloat16, dimensions: shape.dimensions)
        }
    }

    /// The entry's bytes; numbers that a reader would refuse are refused here.
    fileprivate func withUnsafeBytes(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        func checked(_ scalars: UnsafeBufferPointer<Float>) throws {
            if let index = scalars.firstNonFiniteIndex {
                throw CheckpointError.Reason.notFinite(tensor: name, index: index)
            }
            try body(UnsafeRawBufferPointer(scalars))
        }
        switch self {
        case .tensor(let tensor): try tensor.withUnsafeScalars(checked)
        case .values(let values): try values.withUnsafeBufferPointer(checked)
        case .bytes(let bytes): try bytes.withUnsafeBytes(body)
        case .codes(let codes, _): try codes.withUnsafeBytes(body)
        case .halves(let bits, _):
            if let index = bits.firstNonFiniteHalf {
                throw CheckpointError.Reason.notFinite(tensor: name, index: index)
            }
            try bits.withUnsafeBytes(body)
        }
    }
}

/// A file and the digest of what was written to it.
private struct HashedFile: ~Copyable {
    private var file: DurableFile
    private var hash = SHA256()

    init(_ file: consuming DurableFile) { self.file = file }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        hash.update(bufferPointer: bytes)
        try file.write(bytes)
    }

    consuming func commit() throws -> String {
        let digest = hash.finalize().hexadecimal
        try file.commit()
        return digest
    }
}
