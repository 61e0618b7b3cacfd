/// Reads little-endian values from bytes, front to back, and never past their end.
struct ByteCursor {
    let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var remaining: Int { bytes.endIndex - position }

    mutating func byte() throws(ImportError) -> UInt8 {
        guard remaining > 0 else { throw truncated(1) }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func take(_ count: Int) throws(ImportError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw truncated(count) }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    /// An unsigned integer of up to eight bytes that fits an Int.
    mutating func integer(_ size: Int) throws(ImportError) -> Int {
        let value = try take(size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let integer = Int(exactly: value) else { throw ImportError("a length of \(value) bytes") }
        return integer
    }

    /// Up to a line feed, which is left out.
    mutating func line() throws(ImportError) -> String {
        guard let end = bytes[position...].firstIndex(of: 10) else {
            throw ImportError("truncated: expected the end of a line")
        }
        defer { position = end + 1 }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    private func truncated(_ count: Int) -> ImportError {
        ImportError("truncated: expected \(count) more bytes, found \(remaining)")
    }
}
