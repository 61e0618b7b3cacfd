import Documents
import Foundation

/// Takes spans as a collector of OpenTelemetry does, a connection a request.
final class Collector: Sendable {
    let port: Int
    private let listener: Int32

    init() {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = listen(listener, 16)
                _ = getsockname(listener, $0, &length)
            }
        }
        port = Int(address.sin_port.bigEndian)
    }

    deinit { close(listener) }

    /// The spans of the next request; nil for what is none.
    func next() async -> [JSONValue]? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [listener] in continuation.resume(returning: Self.take(listener)) }
        }
    }

    private static func take(_ listener: Int32) -> [JSONValue]? {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return nil }
        defer { close(connection) }
        var (received, buffer) = (Data(), [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            received += buffer[..<count]
            // Headers and body are those of an answer, too.
            guard let request = RawConnection.answers(in: received).first else { continue }
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
            _ = answer.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            let document = try? JSONDecoder().decode(JSONValue.self, from: request.body)
            return document?["resourceSpans"]?[0]?["scopeSpans"]?[0]?["spans"]?.array
        }
    }
}
