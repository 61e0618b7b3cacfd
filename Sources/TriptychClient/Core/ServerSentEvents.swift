import Foundation

/// What stands between two blank lines of a stream (WHATWG HTML, section 9.2). Without `data` it is a sign of life, or moves
/// the place to `id`.
package struct ServerSentEvent: Equatable, Sendable {
    package var name = ""
    package var data = Data()
    package var id: Int?
    /// How long to wait before coming again, if the server says so.
    package var retry: Duration?

    package init() {}
}

/// Takes a stream apart, however it is cut into parts.
package struct ServerSentEventParser {
    private var rest = Data()
    private var event = ServerSentEvent()
    private var hasData = false

    package init() {}

    /// A line without an end is no event of this server's.
    private static let longestLine = 16 << 20

    /// The events that are whole with these bytes. Throws `ClientError.unexpectedAnswer` for a line that does not end.
    package mutating func append(_ part: Data) throws -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        // What was there before has no end of a line.
        var searched = rest.endIndex
        rest += part
        while let end = rest[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            var line = rest[..<end]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty {
                events.append(event)
                (event, hasData) = (ServerSentEvent(), false)
            } else {
                take(line)
            }
            rest = rest[(end + 1)...]
            searched = rest.startIndex
        }
        rest = Data(rest)
        guard rest.count <= Self.longestLine else {
            throw ClientError.unexpectedAnswer("expected lines of events, found \(rest.count) bytes without an end")
        }
        return events
    }

    private mutating func take(_ line: Data) {
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        let text = String(decoding: value, as: UTF8.self)
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": event.name = text
        case "id": event.id = Int(text) ?? event.id
        case "retry": event.retry = Int(text).map { .milliseconds($0) } ?? event.retry
        case "data":
            event.data += hasData ? Data("\n".utf8) + value : value
            hasData = true
        default: break
        }
    }
}

/// The events of one answer.
struct ServerSentEvents {
    private var parts: Exchange.AsyncIterator
    private var parser = ServerSentEventParser()
    private var waiting: ArraySlice<ServerSentEvent> = []

    init(_ exchange: Exchange) { parts = exchange.makeAsyncIterator() }

    /// The next one; nil at the stream's end.
    mutating func next() async throws -> ServerSentEvent? {
        while waiting.isEmpty {
            guard let part = try await parts.next() else { return nil }
            waiting = try parser.append(part)[...]
        }
        return waiting.popFirst()
    }
}
