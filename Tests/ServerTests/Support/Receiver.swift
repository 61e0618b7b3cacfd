import Foundation
import Synchronization

/// Somebody who is called: a listener that keeps what it is sent, and answers as it is told.
final class Receiver: Sendable {
    /// A request as it came.
    struct Call: Sendable {
        /// By lower-case name.
        let headers: [String: String]
        let body: Data
    }

    let port: Int
    private let descriptor: Int32
    private let calls = Mutex<[Call]>([])
    /// What is answered to the call of that number; nil closes the connection without an answer.
    private let answer: @Sendable (Int) -> String?

    init(_ answer: @escaping @Sendable (Int) -> String? = { _ in "204 No Content" }) {
        self.answer = answer
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(descriptor, $0, length)
                _ = listen(descriptor, 64)
                _ = getsockname(descriptor, $0, &length)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0, let self else {
                    close(descriptor)
                    return
                }
                self.take(client)
            }
        }
    }

    /// The thread that accepts closes the descriptor: its number may be another's as soon as that is done.
    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    var received: [Call] { calls.withLock { $0 } }

    /// Waits for so many calls.
    func wait(for count: Int) async throws -> [Call] {
        while received.count < count { try await Task.sleep(for: .milliseconds(10)) }
        return received
    }

    private func take(_ client: Int32) {
        defer { close(client) }
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 65536)
        while RawConnection.request(in: data) == nil {
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            data += buffer[..<count]
        }
        guard let (headers, body) = RawConnection.request(in: data) else { return }
        let number = calls.withLock { calls in
            calls.append(Call(headers: headers, body: body))
            return calls.count - 1
        }
        guard let status = answer(number) else { return }
        let text = "HTTP/1.1 \(status)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        _ = text.withCString { Foundation.send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }
}

/// What calls are signed with, in a file as long as this lives.
final class TemporarySecret: Sendable {
    static let text = "a secret of twenty-four bytes, and more"

    let path = FileManager.default.temporaryDirectory.appendingPathComponent("secret-\(UUID().uuidString)").path

    init(_ text: String = TemporarySecret.text, mode: Int = 0o600) {
        _ = FileManager.default.createFile(
            atPath: path, contents: Data("\(text)\n".utf8), attributes: [.posixPermissions: mode])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension RawConnection {
    /// A request that is whole: its header fields by lower-case name, and its body.
    static func request(in data: Data) -> (headers: [String: String], body: Data)? {
        guard let blank = data.range(of: Data("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: data[..<blank.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let pairs = lines.dropFirst().compactMap { line in
            line.firstIndex(of: ":").map {
                (line[..<$0].lowercased(), line[line.index(after: $0)...].trimmingCharacters(in: .whitespaces))
            }
        }
        let headers = Dictionary(pairs) { $1 }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard data.endIndex - blank.upperBound >= length else { return nil }
        return (headers, Data(data[blank.upperBound..<(blank.upperBound + length)]))
    }
}
