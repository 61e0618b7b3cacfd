import Foundation
import Synchronization

/// A connection that sends whatever bytes a test wants, and reads as slowly as it wants.
///
/// Blocking calls run on threads of their own: a blocked thread of Swift's pool could be the one that the server waits for.
final class RawConnection: Sendable {
    /// An answer as it came.
    struct Answer: Sendable {
        let status: Int
        /// By lower-case name.
        let headers: [String: String]
        let body: Data
    }

    private let descriptor: Mutex<Int32?>

    /// Connects. `receiveBuffer` are the bytes that the system takes in before the test reads them.
    init(_ port: Int, receiveBuffer: Int32? = nil) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = Mutex(descriptor)
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        if var receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit { leave() }

    /// Closes the connection, whatever is under way.
    func leave() {
        descriptor.withLock { descriptor in
            if let open = descriptor { close(open) }
            descriptor = nil
        }
    }

    /// Sends bytes; gives up if the server has closed.
    func send(_ bytes: Data) async {
        guard let descriptor = descriptor.withLock({ $0 }) else { return }
        await Self.onThread {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    func send(_ text: String) async { await send(Data(text.utf8)) }

    /// Reads until that is enough, or the server closes, or nothing has come for a minute.
    func receive(until isEnough: @escaping @Sendable (Data) -> Bool = { _ in false }) async -> Data {
        guard let descriptor = descriptor.withLock({ $0 }) else { return Data() }
        return await Self.onThread {
            var received = Data()
            var buffer = [UInt8](repeating: 0, count: 65536)
            while !isEnough(received) {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                received += buffer[..<count]
            }
            return received
        }
    }

    /// Reads so many whole answers, or what comes before the server closes.
    func answers(_ count: Int = 1) async -> [Answer] {
        Self.answers(in: await receive { Self.answers(in: $0).count >= count })
    }

    /// The answers that are whole, informational ones included.
    static func answers(in data: Data) -> [Answer] {
        var answers: [Answer] = []
        var rest = data[...]
        while let blank = rest.range(of: Data("\r\n\r\n".utf8)) {
            let lines = String(decoding: rest[..<blank.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
            let pairs = lines.dropFirst().compactMap { line in
                line.firstIndex(of: ":").map {
                    (line[..<$0].lowercased(), line[line.index(after: $0)...].trimmingCharacters(in: .whitespaces))
                }
            }
            let headers = Dictionary(pairs) { $1 }
            let length = headers["content-length"].flatMap { Int($0) } ?? 0
            guard rest.endIndex - blank.upperBound >= length else { break }
            let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            answers.append(
                Answer(
                    status: status, headers: headers, body: Data(rest[blank.upperBound..<(blank.upperBound + length)])))
            rest = rest[(blank.upperBound + length)...]
        }
        return answers
    }

    private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }
}
