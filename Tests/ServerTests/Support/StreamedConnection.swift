import Foundation
import NIOCore
import NIOHPACK
import Testing

/// An HTTP/2 client (RFC 9113) that sends whatever frames a test wants, and whose windows stay as they are.
final class StreamedConnection: Sendable {
    struct Frame: Sendable {
        enum Kind: UInt8 {
            case data = 0
            case headers, priority, reset, settings, push, ping, goAway, window, continuation
        }

        let kind: Kind
        var flags: UInt8 = 0
        var stream = 0
        var payload = Data()

        static let end: UInt8 = 1
        static let endOfHead: UInt8 = 4

        var bytes: Data {
            Data([UInt8(payload.count >> 16 & 0xFF), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)])
                + Data([kind.rawValue, flags]) + Self.number(stream) + payload
        }

        /// Four bytes.
        static func number(_ value: Int) -> Data {
            withUnsafeBytes(of: UInt32(value).bigEndian) { Data($0) }
        }

        /// The error of a reset or of a farewell.
        var error: Int {
            payload.suffix(from: payload.startIndex + (kind == .goAway ? 4 : 0)).prefix(4).reduce(0) {
                $0 << 8 | Int($1)
            }
        }

        static func frames(in data: Data) -> [Frame] {
            var frames: [Frame] = []
            var rest = Array(data)[...]
            while rest.count >= 9 {
                let head = Array(rest.prefix(9))
                let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
                guard rest.count >= 9 + count, let kind = Kind(rawValue: head[3]) else { break }
                let stream = head[5...].reduce(0) { $0 << 8 | Int($1) }
                frames.append(
                    Frame(kind: kind, flags: head[4], stream: stream, payload: Data(rest.dropFirst(9).prefix(count))))
                rest = rest.dropFirst(9 + count)
            }
            return frames
        }
    }

    private let connection: SecureConnection

    /// Connects, and says how much of an answer may come before the windows are opened further; by default 65 535 bytes.
    init(_ port: Int, window: Int? = nil) async throws {
        connection = try await SecureConnection(port, protocols: ["h2"])
        let settings = window.map { Data([0, 4]) + Frame.number($0) } ?? Data()
        await connection.send(
            Data("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Frame(kind: .settings, payload: settings).bytes)
        _ = await frames { $0.contains { $0.kind == .settings } }
        #expect(connection.negotiated == "h2")
        await send([Frame(kind: .settings, flags: 1)])
    }

    func send(_ frames: [Frame]) async { await connection.send(frames.reduce(into: Data()) { $0 += $1.bytes }) }

    func leave() { connection.leave() }

    /// All frames so far, once they are enough, or the server has closed.
    func frames(until isEnough: @Sendable ([Frame]) -> Bool = { _ in false }) async -> [Frame] {
        Frame.frames(in: await connection.receive { isEnough(Frame.frames(in: $0)) })
    }

    /// The answer on a stream, whole, or as far as it came before the stream or the connection was closed.
    func answer(_ stream: Int) async throws -> TestServer.Answer {
        let frames = await frames { frames in
            frames.contains { ($0.stream == stream && ($0.isEnd || $0.kind == .reset)) || $0.kind == .goAway }
        }
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        var (status, headers, body) = (0, [String: String](), Data())
        for frame in frames {
            if frame.kind == .headers {
                var block = ByteBuffer(bytes: frame.payload)
                // All of them: the table is the connection's.
                let fields = try decoder.decodeHeaders(from: &block)
                guard frame.stream == stream else { continue }
                headers = Dictionary(fields.map { ($0.name, $0.value) }) { $1 }
                status = headers[":status"].flatMap { Int($0) } ?? 0
            } else if frame.kind == .data, frame.stream == stream {
                body += frame.payload
            }
        }
        return TestServer.Answer(status: status, headers: headers, data: body)
    }
}

extension StreamedConnection.Frame {
    var isEnd: Bool { (kind == .headers || kind == .data) && flags & Self.end != 0 }

    /// A request's head, and its end unless a body follows.
    static func request(
        _ stream: Int, _ method: String, _ path: String, authority: String? = "a", _ fields: [(String, String)] = [],
        hasBody: Bool = false
    ) -> Self {
        let pseudo =
            [(":method", method), (":scheme", "https"), (":path", path)]
            + (authority.map { [(":authority", $0)] } ?? [])
        return Self(
            kind: .headers, flags: endOfHead | (hasBody ? 0 : end), stream: stream,
            payload: (pseudo + fields).reduce(into: Data()) { $0 += field($1.0, $1.1) })
    }

    static func body(_ stream: Int, _ text: String, isLast: Bool = true) -> Self {
        Self(kind: .data, flags: isLast ? end : 0, stream: stream, payload: Data(text.utf8))
    }

    /// A literal field that no table keeps (RFC 7541, section 6.2.2).
    private static func field(_ name: String, _ value: String) -> Data {
        [name, value].reduce(into: Data([0])) { data, text in
            var count = text.utf8.count
            if count < 127 {
                data.append(UInt8(count))
            } else {
                data.append(127)
                count -= 127
                while count >= 128 {
                    data.append(UInt8(count & 127) | 128)
                    count >>= 7
                }
                data.append(UInt8(count))
            }
            data += Data(text.utf8)
        }
    }
}
