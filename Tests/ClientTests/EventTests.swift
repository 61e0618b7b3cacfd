import Foundation
import ServingFixtures
import Testing
import TriptychClient

@Suite("Client: events")
struct EventTests {
    private func event(_ id: Int) -> String {
        """
        id: \(id)\r
        event: new\r
        data: {"id": \(id), "kind": "new",\r
        data: "at": "2026-01-31T12:00:00.000Z"}\r
        \r

        """
    }

    private static let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 1\n\n"

    @Test("a consumer that is cut in the middle of an event has each one once, in order")
    func cut() async throws {
        let (first, second) = (event(4) + event(5) + event(6).dropLast(20), ":\nid: 7\n\n" + event(8))
        let stub = StubServer { number in
            switch number {
            case 0: Self.head + first
            case 1: nil
            case 2: StubServer.answer("503 Busy", "{}", ["Retry-After: 0"])
            case 3: Self.head + event(6) + second
            case 4: Self.head + "event: missed\ndata: {\"after\": 8}\n\n" + event(20)
            default: StubServer.answer("401 No", #"{"type": "urn:triptych:problem:unauthenticated"}"#)
            }
        }
        let client = try Client.impatient(stub.url, retries: 0)
        var told: [Happening] = []
        let problem = await #expect(throws: Problem.self) {
            for try await happening in client.events(EventFilter(galleries: ["a b", "c"], kinds: ["new"]), after: 3) {
                told.append(happening)
            }
        }
        #expect(problem?.status == 401)
        let ids = told.map { happening in if case .event(let event) = happening { event.id } else { -1 } }
        #expect(ids == [4, 5, 6, 8, -1, 20] && told[4] == .missed(after: 8))
        #expect(stub.requests[0].line == "GET /v1/events?gallery=a%20b&gallery=c&kind=new&after=3 HTTP/1.1")
        let places = stub.requests.map { $0.line.firstMatch(of: /after=(\d+)/).map { Int($0.output.1) ?? -1 } }
        #expect(places == [3, 5, 5, 5, 8, 20])
    }

    @Test("what a server tells comes through cut connections, and a consumer that is cancelled ends")
    func live() async throws {
        try await LiveServer.run { server in
            let direct = try server.client()
            let gallery = try await direct.createGallery("g")
            for car in 0..<4 { try await gallery.enrol("car-\(car)", .triple(triple(car))) }
            let client = try Client.impatient(Cutter(server.port, after: 700, .toClient).url)
            var seen: [String] = []
            for try await happening in client.events(EventFilter(kinds: ["enrolled"]), after: 0) {
                guard case .event(let event) = happening else { continue }
                seen.append(event.identity ?? "")
                if seen.count == 4 { try await gallery.enrol("last", .triple(triple(9))) }
                if seen.count == 5 { break }
            }
            #expect(seen == ["car-0", "car-1", "car-2", "car-3", "last"])
            let (opened, open) = AsyncStream.makeStream(of: Void.self)
            let follower = Task {
                for try await _ in direct.events(after: 0) { open.yield() }
            }
            for await _ in opened { break }
            follower.cancel()
            await #expect(throws: CancellationError.self) { try await follower.value }
        }
    }

    @Test("a job is followed over streams that break off")
    func job() async throws {
        let job: @Sendable (String, Int) -> String = { state, done in
            #"{"id": "j", "kind": "import", "state": "\#(state)", "done": \#(done), "total": 4, "#
                + #""created_at": "2026-01-31T12:00:00.000Z", "updated_at": "2026-01-31T12:00:00.000Z"}"#
        }
        let stub = StubServer { number in
            number == 0
                ? Self.head + "event: progress\ndata: \(job("running", 1))\n\nevent: progress\ndata: {\"id\""
                : Self.head
                    + "event: progress\ndata: \(job("running", 3))\n\nevent: end\ndata: \(job("succeeded", 4))\n\n"
        }
        var done: [Int] = []
        let ended = try await Client.impatient(stub.url).wait(for: "j") { done.append($0.done) }
        #expect(done == [1, 3, 4] && ended.state == "succeeded" && stub.requests.count == 2)
        let empty = StubServer { _ in Self.head }
        await #expect(throws: ClientError.self) { try await Client.impatient(empty.url).wait(for: "j") }
    }

    @Test("events are the same however a stream is cut into parts")
    func parts() throws {
        let text = "retry: 5\n\n" + event(1) + ":x\nid:2\n\nid: x\nother: y\ndata\n\n"
        let whole = try collect([Data(text.utf8)])
        #expect(whole.count == 4 && whole[0].retry == .milliseconds(5) && whole[1].id == 1 && whole[2].id == 2)
        #expect(whole[1].data.split(separator: 0x0A).count == 2 && whole[3] == ServerSentEvent())
        for size in 1...7 {
            let bytes = Data(text.utf8)
            let parts = stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
            #expect(try collect(parts) == whole)
        }
        var parser = ServerSentEventParser()
        #expect(throws: ClientError.self) {
            for _ in 0..<17 { _ = try parser.append(Data(repeating: 0x61, count: 1 << 20)) }
        }
    }

    private func collect(_ parts: [Data]) throws -> [ServerSentEvent] {
        var parser = ServerSentEventParser()
        return try parts.flatMap { try parser.append($0) }
    }
}
