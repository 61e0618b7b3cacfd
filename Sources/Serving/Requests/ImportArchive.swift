import Documents
import Foundation

/// A tar archive that was received: lines in its files `….ndjson`, and what they name. Nothing of it is ever written anywhere
/// under its names.
struct ImportArchive: Sendable {
    /// More files than this are no import.
    static let mostEntries = 4_000_000

    /// The lines, in their order.
    let sections: [ImportLines.Section]
    /// What is wrong with it: nothing after that is known.
    let damage: String?
    private let file: InputFile
    /// Where a file begins, by its name's hash: a million names would take a hundred megabytes. The name is compared when it is
    /// read, and the hashes of no two processes are the same.
    private let places: [Int: Int]

    /// Reads every header. Throws `FileError`.
    init(_ file: InputFile) throws {
        var (sections, places, damage) = ([ImportLines.Section](), [Int: Int](), nil as String?)
        var reader = Self.reader(file, at: 0)
        do {
            var place = 0
            while let entry = try reader.next() {
                if places.count == Self.mostEntries {
                    throw DocumentError.syntax(.tar, "expected at most \(Self.mostEntries) files, found more")
                }
                if entry.isFile { places[entry.name.hashValue] = place }
                if entry.isFile && entry.name.hasSuffix(".ndjson") {
                    sections.append(ImportLines.Section(name: entry.name, bytes: entry.contents))
                }
                place = reader.position
            }
        } catch let error as DocumentError {
            damage = "\(error)"
        }
        (self.file, self.sections, self.places, self.damage) = (file, sections, places, damage)
    }

    private static func reader(_ file: InputFile, at place: Int) -> TarReader {
        TarReader(size: file.size, at: place) { try file.read($0) }
    }

    /// A file of at most so many bytes. Throws `DocumentError.invalid` for `field` if there is none, or `FileError`.
    func bytes(of name: String, _ field: String, longest: Int) throws -> Data {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.isEmpty, !parts.contains(""), !parts.contains(".."), !parts.contains(".") else {
            throw DocumentError.invalid(
                field: field, expected: "a path from the archive's top, such as images/1.jpg",
                found: "'\(name.prefix(200))'")
        }
        var entry: TarReader.Entry?
        if let place = places[name.hashValue] {
            var reader = Self.reader(file, at: place)
            entry = try reader.next()
        }
        guard let entry, entry.name == name else {
            throw DocumentError.invalid(
                field: field, expected: "a file of the archive", found: "'\(name.prefix(200))'")
        }
        guard entry.contents.count <= longest else {
            throw DocumentError.invalid(
                field: field, expected: "a file of at most \(longest) bytes", found: "\(entry.contents.count)")
        }
        return Data(try file.read(entry.contents))
    }
}

/// Reads lines one after the other, without their ends and without empty ones.
struct ImportLines {
    /// Where lines stand: a whole file, or one in an archive.
    struct Section: Sendable {
        /// nil for the whole file.
        let name: String?
        let bytes: Range<Int>
    }

    /// A line and its number in its section, from 1.
    struct Line: Sendable {
        let section: String?
        let number: Int
        /// nil if it is longer than it may be.
        let bytes: Data?
    }

    private let file: InputFile
    private let longest: Int
    private var sections: ArraySlice<Section>
    /// What is read next.
    private var position: Int
    /// What was read and not given yet begins at `start`.
    private var buffer: [UInt8] = []
    private var start = 0
    private var number = 0

    /// The lines of some sections, each of at most so many bytes.
    init(_ file: InputFile, _ sections: [Section], longest: Int) {
        (self.file, self.sections, self.longest) = (file, sections[...], longest)
        position = sections.first?.bytes.lowerBound ?? 0
    }

    /// The next line; nil after the last one. Throws `FileError`.
    mutating func next() throws -> Line? {
        while let section = sections.first {
            if let line = try next(in: section) {
                if line.bytes?.isEmpty == true { continue }
                return line
            }
            sections.removeFirst()
            (position, number) = (sections.first?.bytes.lowerBound ?? 0, 0)
        }
        return nil
    }

    /// The next lines, so many at most and of about so many bytes; none after the last one. Throws `FileError`.
    mutating func next(_ most: Int, bytes: Int) throws -> [Line] {
        var (lines, size) = ([Line](), 0)
        while lines.count < most, size < bytes, let line = try next() {
            size += line.bytes?.count ?? 0
            lines.append(line)
        }
        return lines
    }

    private mutating func next(in section: Section) throws -> Line? {
        var (isTooLong, searched) = (false, start)
        while true {
            if let end = end(from: searched) { return take(to: end, isTooLong, section) }
            if buffer.count - start > longest { (isTooLong, start) = (true, buffer.count) }
            buffer.removeFirst(start)
            (searched, start) = (buffer.count, 0)
            let more = min(1 << 20, section.bytes.upperBound - position)
            if more == 0 {
                return buffer.isEmpty && !isTooLong ? nil : take(to: buffer.count, isTooLong, section)
            }
            buffer += try file.read(position..<(position + more))
            position += more
        }
    }

    private mutating func take(to end: Int, _ isTooLong: Bool, _ section: Section) -> Line {
        defer { start = min(end + 1, buffer.count) }
        number += 1
        let bytes = isTooLong || end - start > longest ? nil : Data(buffer[start..<end])
        return Line(section: section.name, number: number, bytes: bytes)
    }

    private func end(from place: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, place < bytes.count,
                let found = memchr(base + place, 10, bytes.count - place)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}
