import Foundation
import FoundationNetworking
import Testing

@Suite("End to end: no descriptors left")
struct ExhaustedDescriptorsTests {
    @Test("with more clients than descriptors the server rests, answers, and ends well")
    func exhausted() async throws {
        let world = try await World()
        let (server, port) = try await world.serve(descriptors: 80)
        let clients = (0..<300).map { _ in Client(port) }
        defer { for client in clients { client.leave() } }
        // Once all are connected, as far as that is possible, there is nothing to do.
        try await Task.sleep(for: .seconds(1))
        let before = try processorSeconds(server.identifier)
        try await Task.sleep(for: .seconds(4))
        let spent = try processorSeconds(server.identifier) - before
        // The accept loop without rest spends all of it.
        #expect(spent < 2, "\(spent) s of 4")
        let (_, response) = try await URLSession.shared.data(
            from: #require(URL(string: "http://127.0.0.1:\(port)/healthz")))
        #expect((response as? HTTPURLResponse)?.statusCode == 200)
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
    }

    /// Of all its threads, in user and kernel mode (proc(5), fields 14 and 15).
    private func processorSeconds(_ process: Int32) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        let end = try #require(text.lastIndex(of: ")"))
        let ticks = text[text.index(after: end)...].split(separator: " ")[11...12].compactMap { Double($0) }
        return ticks.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// A client that connects and says nothing.
    private struct Client {
        private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)

        init(_ port: Int) {
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

        func leave() { close(descriptor) }
    }
}
