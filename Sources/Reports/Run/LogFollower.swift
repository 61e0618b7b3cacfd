import Foundation

/// Reads a log of a JSON value a line from where it was left, also one that is still being written: the last line counts once it
/// has its end.
public struct LogFollower: Sendable {
    private static let piece = 1 << 20

    private let path: String
    private var offset: UInt64 = 0
    /// The beginning of a line whose end is not there yet.
    private var rest = Data()

    /// Follows a file from its beginning; it need not be there yet.
    public init(_ path: URL) { self.path = path.path }

    /// The lines that have come since the last call, of a piece of the file; empty if there are none. Throws what the system
    /// says of a file that cannot be read.
    public mutating func next() throws -> [Data] {
        guard let file = FileHandle(forReadingAtPath: path) else { return [] }
        defer { try? file.close() }
        let size = try file.seekToEnd()
        // A run that goes on cuts its logs back to a state: at the end of a line.
        if size < offset { (offset, rest) = (size, Data()) }
        var lines: [Data] = []
        // Until there is a line, as one may be longer than a piece.
        while lines.isEmpty {
            try file.seek(toOffset: offset)
            guard let bytes = try file.read(upToCount: Self.piece), !bytes.isEmpty else { break }
            offset += UInt64(bytes.count)
            rest.append(bytes)
            lines = takeLines()
        }
        return lines
    }

    private mutating func takeLines() -> [Data] {
        var parts = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        rest = Data(parts.popLast() ?? Data())
        return parts.filter { !$0.isEmpty }.map { Data($0) }
    }

    /// All values of a log from where it was left, one after the other. Throws `DecodingError` for a line of another form.
    public mutating func forEach<Value: Decodable>(as type: Value.Type, _ body: (Value) -> Void) throws {
        let decoder = JSONDecoder()
        while true {
            let lines = try next()
            if lines.isEmpty { return }
            for line in lines { body(try decoder.decode(type, from: line)) }
        }
    }
}
