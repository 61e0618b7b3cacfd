import Foundation
import Synchronization

/// Accepts connections on a free port of loopback, each on a thread of its own: a blocked thread of Swift's pool could be the
/// one that a server in this process waits for.
final class Listener: Sendable {
    let port: Int
    private let descriptor: Int32

    init(_ serve: @escaping @Sendable (_ number: Int, _ connection: Int32) -> Void) {
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        descriptor = listening
        port = Socket.withLoopback(port: 0) { address, length in
            _ = bind(listening, address, length.pointee)
            _ = listen(listening, 64)
            _ = getsockname(listening, address, length)
        }
        Thread.detachNewThread {
            for number in 0... {
                let connection = accept(listening, nil, nil)
                guard connection >= 0 else {
                    close(listening)
                    return
                }
                Thread.detachNewThread {
                    serve(number, connection)
                    close(connection)
                }
            }
        }
    }

    /// Nothing listens at the port from then on. Without it that lasts as long as the tests. The thread that accepts closes the
    /// descriptor: its number may be another listener's as soon as that is done.
    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    var url: URL { .loopback(port) }
}

/// Blocking calls on sockets.
enum Socket {
    /// Hands out an address of loopback, and gives its port as it is then.
    static func withLoopback(
        port: Int, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Void
    ) -> Int {
        var address = sockaddr_in()
        (address.sin_family, address.sin_port) = (sa_family_t(AF_INET), in_port_t(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    static func connected(to port: Int) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        _ = withLoopback(port: port) { address, length in _ = connect(descriptor, address, length.pointee) }
        return descriptor
    }

    /// What has come; empty at the end.
    static func read(_ descriptor: Int32) -> Data {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return Data(buffer[..<max(0, count)])
    }

    /// Gives up if the other side has closed.
    static func write(_ descriptor: Int32, _ data: Data) {
        var rest = data[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// A server that says what a test has written down, and closes after each answer.
final class StubServer: Sendable {
    /// A request as it came.
    struct Request: Sendable {
        /// `GET /v1/galleries HTTP/1.1`.
        let line: String
        /// By lower-case name.
        let headers: [String: String]
        let body: Data
    }

    private let listener: Listener
    private let kept: Kept

    private final class Kept: Sendable {
        let requests = Mutex<[Request]>([])
    }

    /// What is answered to the request of that number, byte by byte; nil closes the connection without an answer.
    init(_ answer: @escaping @Sendable (Int) -> String?) {
        let kept = Kept()
        self.kept = kept
        listener = Listener { _, connection in
            guard let request = Self.request(connection) else { return }
            let number = kept.requests.withLock { requests in
                requests.append(request)
                return requests.count - 1
            }
            guard let text = answer(number) else { return }
            Socket.write(connection, Data(text.utf8))
        }
    }

    var url: URL { listener.url }
    var requests: [Request] { kept.requests.withLock { $0 } }

    /// An answer whose connection is closed.
    static func answer(_ status: String, _ body: String = "{}", _ headers: [String] = []) -> String {
        let fields = ["Content-Length: \(body.utf8.count)", "Connection: close"] + headers
        return "HTTP/1.1 \(status)\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n\(body)"
    }

    private static func request(_ connection: Int32) -> Request? {
        var data = Data()
        while true {
            if let blank = data.range(of: Data("\r\n\r\n".utf8)) {
                let lines = String(decoding: data[..<blank.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                let pairs = lines.dropFirst().map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
                let headers = Dictionary(
                    pairs.map { ($0[0].lowercased(), $0[1].trimmingCharacters(in: .whitespaces)) }
                ) { $1 }
                let length = headers["content-length"].flatMap { Int($0) } ?? 0
                let body = data[blank.upperBound...]
                if body.count >= length { return Request(line: lines[0], headers: headers, body: Data(body)) }
            }
            let part = Socket.read(connection)
            if part.isEmpty { return nil }
            data += part
        }
    }
}

/// Stands between a client and a server, and cuts the first connection after so many bytes of one direction.
final class Cutter: Sendable {
    enum Direction: Sendable {
        case toServer, toClient
    }

    private let listener: Listener

    init(_ port: Int, after bytes: Int, _ direction: Direction) {
        listener = Listener { number, client in
            let server = Socket.connected(to: port)
            let end: @Sendable () -> Void = {
                shutdown(client, Int32(SHUT_RDWR))
                shutdown(server, Int32(SHUT_RDWR))
            }
            let pump: @Sendable (Int32, Int32, Int) -> Void = { source, target, limit in
                var left = limit
                while left > 0 {
                    let part = Socket.read(source).prefix(left)
                    if part.isEmpty { break }
                    Socket.write(target, Data(part))
                    left -= part.count
                }
                end()
            }
            let limit = { (of: Direction) in number == 0 && of == direction ? bytes : Int.max }
            let (up, down) = (limit(.toServer), limit(.toClient))
            let isDone = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                pump(client, server, up)
                isDone.signal()
            }
            pump(server, client, down)
            isDone.wait()
            close(server)
        }
    }

    var url: URL { listener.url }
}
