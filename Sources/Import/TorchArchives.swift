import Documents

/// The entries of a ZIP archive that are stored without compression, as PyTorch stores them (APPNOTE.TXT 6.3.3). Others, such as
/// TorchScript's code, are left out.
struct ZipArchive {
    private let bytes: [UInt8]
    /// Where each entry's bytes are, by name.
    private(set) var entries: [String: Range<Int>] = [:]

    static func isZip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) }

    init(_ bytes: [UInt8]) throws(ImportError) {
        self.bytes = bytes
        // The end record, searched from the back: a comment of up to 65 535 bytes may follow it.
        let first = max(0, bytes.count - 65_557)
        let ends = stride(from: bytes.count - 22, through: first, by: -1)
        guard let end = ends.first(where: { bytes[$0..<($0 + 4)].elementsEqual([0x50, 0x4B, 0x05, 0x06]) }) else {
            throw ImportError("truncated: expected the end of a ZIP archive")
        }
        var cursor = ByteCursor(bytes[(end + 10)...])
        var count = try cursor.integer(2)
        _ = try cursor.integer(4)
        var directory = try cursor.integer(4)
        if count == 0xFFFF || directory == 0xFFFF_FFFF { (count, directory) = try zip64(before: end) }
        try readDirectory(count: count, at: directory)
    }

    private func zip64(before end: Int) throws(ImportError) -> (count: Int, directory: Int) {
        guard end >= 20 else { throw ImportError("truncated: expected a ZIP64 locator") }
        var locator = ByteCursor(bytes[(end - 12)...])
        let record = try locator.integer(8)
        guard record >= 0, record <= bytes.count - 56 else { throw ImportError("a ZIP64 record beyond the file") }
        var cursor = ByteCursor(bytes[(record + 32)...])
        let count = try cursor.integer(8)
        _ = try cursor.integer(8)
        return (count, try cursor.integer(8))
    }

    private mutating func readDirectory(count: Int, at offset: Int) throws(ImportError) {
        guard (0...bytes.count).contains(offset) else { throw ImportError("a ZIP directory beyond the file") }
        var cursor = ByteCursor(bytes[offset...])
        for _ in 0..<count {
            guard try cursor.take(4).elementsEqual([0x50, 0x4B, 0x01, 0x02]) else {
                throw ImportError("a broken ZIP directory")
            }
            _ = try cursor.take(6)
            let method = try cursor.integer(2)
            _ = try cursor.take(8)
            var (stored, size) = (try cursor.integer(4), try cursor.integer(4))
            let (nameLength, extraLength) = (try cursor.integer(2), try cursor.integer(2))
            let commentLength = try cursor.integer(2)
            _ = try cursor.take(8)
            var header = try cursor.integer(4)
            let name = String(decoding: try cursor.take(nameLength), as: UTF8.self)
            try Self.widen(try cursor.take(extraLength), &size, &stored, &header)
            _ = try cursor.take(commentLength)
            guard method == 0, stored == size else { continue }
            entries[name] = try range(of: name, header: header, size: size)
        }
    }

    /// Sizes and offsets too large for 32 bits stand in an extra field, in this order.
    private static func widen(
        _ extra: ArraySlice<UInt8>, _ size: inout Int, _ stored: inout Int, _ header: inout Int
    ) throws(ImportError) {
        var cursor = ByteCursor(extra)
        while cursor.remaining >= 4 {
            let (kind, length) = (try cursor.integer(2), try cursor.integer(2))
            var field = ByteCursor(try cursor.take(length))
            guard kind == 1 else { continue }
            if size == 0xFFFF_FFFF { size = try field.integer(8) }
            if stored == 0xFFFF_FFFF { stored = try field.integer(8) }
            if header == 0xFFFF_FFFF { header = try field.integer(8) }
        }
    }

    private func range(of name: String, header: Int, size: Int) throws(ImportError) -> Range<Int> {
        guard (0...(bytes.count - 30)).contains(header) else { throw ImportError("entry \(name) beyond the file") }
        var local = ByteCursor(bytes[(header + 26)...])
        let start = header + 30 + (try local.integer(2)) + (try local.integer(2))
        guard size >= 0, start <= bytes.count, size <= bytes.count - start else {
            throw ImportError("entry \(name): expected \(size) bytes, found fewer")
        }
        return start..<(start + size)
    }

    /// An entry's bytes.
    subscript(name: String) -> ArraySlice<UInt8>? { entries[name].map { bytes[$0] } }
}

/// The files of a tar archive, by name.
struct TarArchive {
    let entries: [String: ArraySlice<UInt8>]

    static func isTar(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 512 && bytes[257..<262].elementsEqual("ustar".utf8)
    }

    init(_ bytes: [UInt8]) throws(ImportError) {
        var (reader, entries) = (
            TarReader(size: bytes.count, requiresEnd: false) { Array(bytes[$0]) }, [String: ArraySlice<UInt8>]()
        )
        do {
            while let entry = try reader.next() {
                if entry.isFile { entries[entry.name] = bytes[entry.contents] }
            }
        } catch {
            throw ImportError("\(error)")
        }
        self.entries = entries
    }
}
