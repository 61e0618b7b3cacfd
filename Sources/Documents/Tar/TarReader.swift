/// The entries of a tar archive one after the other: POSIX's ustar and pax forms (POSIX.1-2017, pax), and GNU's long names and
/// sizes. Reads headers alone; where contents are is for the caller to read.
public struct TarReader {
    /// A file, a folder or something else in an archive.
    public struct Entry: Sendable, Equatable {
        /// As it was written, without a `./` in front.
        public let name: String
        /// Whether it is a file: not a folder, a link or a device.
        public let isFile: Bool
        /// Where its contents are.
        public let contents: Range<Int>
    }

    private static let block = 512
    /// A name that is longer than this is nobody's.
    private static let longestExtension = 1 << 16

    private let size: Int
    private let requiresEnd: Bool
    private let read: (Range<Int>) throws -> [UInt8]
    /// Where the next entry begins.
    public private(set) var position: Int

    /// A reader of an archive of so many bytes from where an entry begins; `read` gives bytes within it. One that does not
    /// end with a block of zeros was cut off, unless its writer is known to leave that out.
    public init(
        size: Int, at position: Int = 0, requiresEnd: Bool = true, read: @escaping (Range<Int>) throws -> [UInt8]
    ) {
        (self.size, self.position, self.requiresEnd, self.read) = (size, position, requiresEnd, read)
    }

    /// The next entry; nil at the end. Throws `DocumentError.syntax` for what is no archive, or one that is cut off, and what
    /// `read` throws.
    public mutating func next() throws -> Entry? {
        var (name, length) = (nil as String?, nil as Int?)
        while let header = try header() {
            let start = position + Self.block
            let contents = length ?? header.size
            guard contents <= size - start else {
                throw Self.error(
                    "cut off: \(name ?? header.name) has \(contents) bytes, \(max(size - start, 0)) are there")
            }
            position = min(start + (contents + Self.block - 1) / Self.block * Self.block, size)
            switch header.kind {
            case UInt8(ascii: "x"):
                let values = try Self.records(extended(start, contents))
                name = values["path"] ?? name
                if let text = values["size"] {
                    guard let number = Int(text), number >= 0 else { throw Self.error("a size of '\(text)'") }
                    length = number
                }
            case UInt8(ascii: "L"):
                name = String(decoding: try extended(start, contents).prefix { $0 != 0 }, as: UTF8.self)
            case UInt8(ascii: "g"), UInt8(ascii: "K"): break
            case let kind:
                return Entry(
                    name: Self.plain(name ?? header.name),
                    isFile: [0, UInt8(ascii: "0"), UInt8(ascii: "7")].contains(kind),
                    contents: start..<(start + contents))
            }
        }
        return nil
    }

    private struct Header {
        let name: String
        let size: Int
        let kind: UInt8
    }

    /// nil at the end, a block of zeros.
    private func header() throws -> Header? {
        if position == size && !requiresEnd { return nil }
        guard size - position >= Self.block else {
            throw Self.error("cut off at byte \(position): expected a header, or the archive's end")
        }
        let bytes = try read(position..<(position + Self.block))
        if bytes.allSatisfy({ $0 == 0 }) { return nil }
        let sum = bytes.enumerated().reduce(0) { $0 + Int((148..<156).contains($1.offset) ? 32 : $1.element) }
        guard Self.number(bytes[148..<156]) == sum, let length = Self.number(bytes[124..<136]) else {
            throw Self.error("a broken header at byte \(position)")
        }
        let isPOSIX = bytes[257..<263].elementsEqual("ustar\0".utf8)
        let prefix = isPOSIX ? Self.text(bytes[345..<500]) : ""
        let name = Self.text(bytes[0..<100])
        return Header(name: prefix.isEmpty ? name : "\(prefix)/\(name)", size: length, kind: bytes[156])
    }

    private func extended(_ start: Int, _ length: Int) throws -> [UInt8] {
        guard length <= Self.longestExtension else { throw Self.error("a name of \(length) bytes at byte \(position)") }
        return try read(start..<(start + length))
    }

    /// `length key=value\n`, the length that of the whole.
    private static func records(_ bytes: [UInt8]) throws -> [String: String] {
        var (rest, values) = (bytes[...], [String: String]())
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length > space + 1 - rest.startIndex, length <= rest.count,
                let equals = rest[space...].firstIndex(of: UInt8(ascii: "=")), equals < rest.startIndex + length - 1
            else { throw error("a broken pax record") }
            let end = rest.startIndex + length
            values[String(decoding: rest[(space + 1)..<equals], as: UTF8.self)] = String(
                decoding: rest[(equals + 1)..<(end - 1)], as: UTF8.self)
            rest = rest[end...]
        }
        return values
    }

    /// Octal digits, or GNU's binary number with the first bit set; nil for anything else, or one beyond an Int.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        if let first = field.first, first & 0x80 != 0 {
            let digits = [first & 0x7F] + field.dropFirst()
            guard digits.dropLast(7).allSatisfy({ $0 == 0 }) else { return nil }
            return digits.suffix(7).reduce(0) { $0 << 8 | Int($1) }
        }
        let digits = field.filter { $0 != 0 && $0 != UInt8(ascii: " ") }
        return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func plain(_ name: String) -> String {
        var name = name[...]
        while name.hasPrefix("./") { name = name.dropFirst(2) }
        return String(name)
    }

    private static func error(_ reason: String) -> DocumentError { .syntax(.tar, reason) }
}

/// What stands before and after a file's contents in a tar archive (ustar).
public enum TarWriter {
    /// The block before a file's contents. A name has up to 100 bytes, contents up to 8 GiB.
    public static func header(_ name: String, size: Int, modified seconds: Int = 0) -> [UInt8] {
        precondition(name.utf8.count <= 100 && (0..<(1 << 33)).contains(size), "a file that no ustar header describes")
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ at: Int) { block.replaceSubrange(at..<(at + text.utf8.count), with: text.utf8) }
        func octal(_ number: Int, _ digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(name, 0)
        put(octal(0o600, 7), 100)
        put(octal(0, 7), 108)
        put(octal(0, 7), 116)
        put(octal(size, 11), 124)
        put(octal(max(seconds, 0), 11), 136)
        put("        0", 148)
        put("ustar\u{0}00", 257)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\0 ", 148)
        return block
    }

    /// The zeros after so many bytes of contents.
    public static func padding(_ size: Int) -> [UInt8] { [UInt8](repeating: 0, count: (512 - size % 512) % 512) }

    /// What ends an archive.
    public static let end = [UInt8](repeating: 0, count: 1024)
}
