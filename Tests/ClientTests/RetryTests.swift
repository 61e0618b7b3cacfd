import Foundation
import Server
import Testing
import TriptychClient

@Suite("Client: what is sent again")
struct RetryTests {
    private static let gallery = #"{"name": "g", "metadata": {}, "created_at": "2026-01-31T12:00:00.250Z"}"#
    private static let sighting = """
        {"id": "s", "identity": "i", "metadata": {}, "created_at": "2026-01-31T12:00:00.000Z", "modalities": [], "boxes": {}}
        """

    @Test("what only reads is sent again until it is answered, and after the last try the failure is the caller's")
    func reads() async throws {
        let stub = StubServer { $0 < 3 ? nil : StubServer.answer("200 OK", #"{"status": "ready"}"#) }
        #expect(try await Client.impatient(stub.url, retries: 3).ready().status == "ready")
        #expect(stub.requests.count == 4)
        let deaf = StubServer { _ in nil }
        let failure = await #expect(throws: ClientError.self) {
            try await Client.impatient(deaf.url, retries: 2).ready()
        }
        guard case .connectionFailed(_, _, wasSent: true) = failure else {
            Issue.record("found \(String(describing: failure))")
            return
        }
        #expect(deaf.requests.count == 3)
    }

    @Test("what makes something is not sent again unless a key of the client's keeps it from being made twice")
    func makes() async throws {
        let deaf = StubServer { _ in nil }
        let client = try Client.impatient(deaf.url)
        await #expect(throws: ClientError.self) { try await client.createKey(NewKey(name: "n", role: "read")) }
        #expect(deaf.requests.count == 1)
        let stub = StubServer { $0 < 2 ? nil : StubServer.answer("201 Created", Self.sighting) }
        let gallery = try Client.impatient(stub.url).gallery("g")
        try await gallery.enrol("i", .vector([1]))
        try await gallery.enrol("i", .vector([1]))
        let keys = stub.requests.map { $0.headers["idempotency-key"] }
        #expect(keys.count == 4 && keys[0] != nil && Set(keys[...2]).count == 1 && keys[3] != keys[0])
        #expect(Set(stub.requests.map(\.body)).count == 1 && !stub.requests[0].body.isEmpty)
    }

    @Test("429 and 503 are waited for as long as the server says, but not for ever")
    func refusals() async throws {
        let busy = StubServer {
            $0 < 2
                ? StubServer.answer("503 Busy", #"{"type": "urn:triptych:problem:overloaded"}"#, ["Retry-After: 0"])
                : StubServer.answer("200 OK", Self.gallery)
        }
        let document = try await Client.impatient(busy.url).gallery("g").update(label: .remove)
        #expect(document.name == "g" && document.createdAt.timeIntervalSince1970 == 1_769_860_800.25)
        #expect(
            busy.requests.count == 3
                && busy.requests.allSatisfy { String(decoding: $0.body, as: UTF8.self) == #"{"label":null}"# })
        let full = StubServer { _ in StubServer.answer("503 Busy", "<html>", ["Retry-After: 3600", "X-Request-Id: r"]) }
        let problem = await #expect(throws: Problem.self) { try await Client.impatient(full.url).ready() }
        #expect(full.requests.count == 1 && problem?.retryAfter == 3600)
        #expect(problem?.requestID == "r" && problem?.detail == "<html>" && problem?.type == "about:blank")
        let rated = StubServer { $0 == 0 ? StubServer.answer("429 Slow") : nil }
        await #expect(throws: ClientError.self) { try await Client.impatient(rated.url).calibrate() }
        #expect(rated.requests.count == 2)
    }

    @Test("an erasure whose answer was lost has succeeded if there is nothing to erase then")
    func erasures() async throws {
        let stub = StubServer { $0 == 0 ? nil : StubServer.answer("404 Not Found") }
        try await Client.impatient(stub.url).gallery("g").erase()
        #expect(stub.requests.count == 2)
        let problem = await #expect(throws: Problem.self) { try await Client.impatient(stub.url).gallery("g").erase() }
        #expect(problem?.status == 404)
    }

    @Test("pauses double up to the longest, are jittered, and come after what the server says")
    func pauses() {
        let policy = RetryPolicy(retries: 8, firstPause: .seconds(1), longestPause: .seconds(10))
        let cut = ClientError.connectionFailed(server: "s", reason: "r", wasSent: true)
        let pause = { (number: Int, jitter: Double) in
            policy.pause(after: cut, number, isRepeatable: true, jitter: jitter)
        }
        #expect((0..<6).map { pause($0, 1) } == [1, 2, 4, 8, 10, 10].map { .seconds($0) })
        #expect(pause(2, 0) == .seconds(2) && pause(8, 1) == nil)
        #expect(policy.pause(after: cut, 0, isRepeatable: false, jitter: 1) == nil)
        let unsent = ClientError.connectionFailed(server: "s", reason: "r", wasSent: false)
        #expect(policy.pause(after: unsent, 0, isRepeatable: false, jitter: 1) == .seconds(1))
        #expect(policy.pause(after: ClientError.timedOut(server: "s"), 0, isRepeatable: true, jitter: 1) == nil)
        let busy = Problem(503, ["retry-after": "7"], Data("{}".utf8))
        #expect(policy.pause(after: busy, 1, isRepeatable: true, jitter: 1) == .seconds(9))
        #expect(policy.pause(after: busy, 1, isRepeatable: false, jitter: 1) == nil)
    }

    @Test("a redirect is told and not followed, so that the key stays with its server")
    func redirects() async throws {
        let other = StubServer { _ in StubServer.answer("200 OK") }
        let stub = StubServer { [url = other.url] _ in StubServer.answer("307 There", "", ["Location: \(url)/healthz"])
        }
        let problem = await #expect(throws: Problem.self) { try await Client.impatient(stub.url, key: "k").health() }
        #expect(problem?.status == 307 && problem?.detail.contains("\(other.url)") == true && other.requests.isEmpty)
        #expect(stub.requests[0].headers["authorization"] == "Bearer k" && !stub.requests[0].line.contains("k="))
    }

    @Test("a server that is gone, or says nothing, is told so")
    func gone() async throws {
        let listener = Listener { _, _ in }
        let port = listener.port
        listener.stop()
        let nobody = try Client.impatient(.loopback(port))
        let failure = await #expect(throws: ClientError.self) {
            try await nobody.createKey(NewKey(name: "n", role: "read"))
        }
        guard case .connectionFailed(let server, _, wasSent: false) = failure else {
            Issue.record("found \(String(describing: failure))")
            return
        }
        #expect(server == "http://127.0.0.1:\(port)")
        let (done, finish) = AsyncStream.makeStream(of: Void.self)
        let silent = Listener { _, connection in
            while !Socket.read(connection).isEmpty {}
            finish.yield()
        }
        let timedOut = await #expect(throws: ClientError.self) {
            try await Client(silent.url, timeout: .milliseconds(200)).health()
        }
        guard case .timedOut = timedOut else {
            Issue.record("found \(String(describing: timedOut))")
            return
        }
        for await _ in done { break }
    }

    @Test("a certificate of an authority that the system does not know is told as such, and nothing is sent")
    func untrusted() async throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("ServerTests/Fixtures/Certificates")
        let (certificate, key) = (
            folder.appendingPathComponent("server.pem"), folder.appendingPathComponent("server.key")
        )
        try await LiveServer.run({
            $0.tls = ServerConfiguration.TLS(certificate: certificate.path, key: key.path, clientCA: nil)
        }) { server in
            let url = try #require(URL(string: "https://127.0.0.1:\(server.port)"))
            let failure = await #expect(throws: ClientError.self) { try await Client.impatient(url, key: "k").ready() }
            guard case .insecure = failure else {
                Issue.record("found \(String(describing: failure))")
                return
            }
        }
    }

    @Test("arguments that make no sense are refused before anything is sent")
    func arguments() throws {
        for text in ["ftp://a", "http://", "http://u:p@a", "http://a?key=k", "a"] {
            #expect(throws: ClientError.self, "\(text)") { try Client(#require(URL(string: text))) }
        }
        for key in ["", "a b", "ä", "a\nb"] {
            #expect(throws: ClientError.self, "\(key)") { try Client(.loopback(1), key: key) }
        }
        #expect(throws: ClientError.self) { try Triple([:]) }
        #expect(throws: ClientError.self) {
            try Triple([.rgb: Data([1])], boxes: [.tir: Box(x: 0, y: 0, width: 1, height: 1)])
        }
    }
}

extension Client {
    /// Something that is begun by a POST without a key.
    fileprivate func calibrate() async throws -> Job { try await gallery("g").calibrate(falseMatchRate: 0.1) }
}
