/// The files of a tar archive (POSIX.1-1988, ustar), by name.
struct TarArchive {
    let entries: [String: ArraySlice<UInt8>]

    static func isTar(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 512 && bytes[257..<262].elementsEqual("ustar".utf8)
    }

    init(_ bytes: [UInt8]) throws(ImportError) {
        var (cursor, entries) = (ByteCursor(bytes[...]), [String: ArraySlice<UInt8>]())
        while cursor.remaining >= 512 {
            let header = try cursor.take(512)
            let start = header.startIndex
            let name = header[start..<(start + 100)].prefix { $0 != 0 }
            // The archive ends with blocks of zeros.
            if name.isEmpty { break }
            let digits = header[(start + 124)..<(start + 136)].filter { (48..<56).contains($0) }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 8) else {
                throw ImportError("a broken archive: a file without a size")
            }
            entries[String(decoding: name, as: UTF8.self)] = try cursor.take(size)
            _ = try cursor.take(min((512 - size % 512) % 512, cursor.remaining))
        }
        self.entries = entries
    }
}
