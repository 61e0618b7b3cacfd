import Foundation
import Inference
import Server
import ServingFixtures
import Testing

@Suite("Slow clients")
struct TransferTests {
    /// Bytes that no socket's buffers hold.
    private static let large = 24 << 20

    /// Makes the gallery g with one sighting whose image is large, and gives the image's path.
    private func enrolLarge(_ server: TestServer) async throws -> String {
        _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
        // What follows a JPEG's end is kept with it and not decoded.
        let image = try picture(1) + Data(count: Self.large)
        let answer = try await server.sendForm("/v1/galleries/g/identities/a/sightings", ["rgb": image])
        #expect(answer.status == 201)
        return try #require(answer.headers["location"]) + "/images/rgb"
    }

    private static let configure: @Sendable (inout ServerConfiguration) -> Void = {
        $0.limits.imageBytes = 64 << 20
        $0.limits.requestsInFlight = 1
    }

    /// Asks until the answer has that status; gives up after a while.
    private func status(_ expected: Int, of path: String, _ server: TestServer) async throws -> Bool {
        for _ in 0..<1000 {
            if try await server.send("GET", path).status == expected { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    /// Asks, and waits for the answer's beginning: from then on it has its place.
    private func begin(_ connection: RawConnection, _ path: String) async {
        await connection.send(get(path))
        let beginning = await connection.receive { !$0.isEmpty }
        #expect(beginning.starts(with: Data("HTTP/1.1 200".utf8)))
    }

    private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }

    @Test(
        "an answer has its place until it has been read; a client that does not read loses its connection and the place"
    )
    func unread() async throws {
        let configure: @Sendable (inout ServerConfiguration) -> Void = {
            Self.configure(&$0)
            $0.limits.stallSeconds = 3
        }
        try await TestServer.run(configure) { server in
            let path = try await enrolLarge(server)
            let slow = RawConnection(server.port, receiveBuffer: 4096)
            await begin(slow, path)
            #expect(try await status(503, of: "/v1/galleries", server), "its place is given back too early")
            #expect(try await status(200, of: "/v1/galleries", server), "its place is never given back")
            let received = await slow.receive()
            #expect(received.count < Self.large)
            // One that reads gets everything.
            let reader = RawConnection(server.port)
            await reader.send(get(path))
            let whole = await reader.answers().first
            #expect(whole?.status == 200 && whole?.body.count ?? 0 > Self.large)
        }
    }

    @Test("a client that leaves in the middle of its answer gives its place back")
    func leaving() async throws {
        try await TestServer.run(Self.configure) { server in
            let path = try await enrolLarge(server)
            let slow = RawConnection(server.port, receiveBuffer: 4096)
            await begin(slow, path)
            #expect(try await status(503, of: "/v1/galleries", server))
            slow.leave()
            #expect(try await status(200, of: "/v1/galleries", server))
        }
    }

    @Test("a server that is to end waits for answers that nobody reads, but not for ever")
    func shutdown() async throws {
        let configure: @Sendable (inout ServerConfiguration) -> Void = {
            Self.configure(&$0)
            ($0.limits.stallSeconds, $0.limits.idleSeconds, $0.limits.shutdownSeconds) = (3600, 3600, 1)
        }
        try await TestServer.run(configure) { server in
            let path = try await enrolLarge(server)
            let slow = RawConnection(server.port, receiveBuffer: 4096)
            defer { slow.leave() }
            await begin(slow, path)
            #expect(try await status(503, of: "/v1/galleries", server))
            let trickling = RawConnection(server.port)
            defer { trickling.leave() }
            await trickling.send("POST /v1/models HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1")
            await server.shutDown()
            for await _ in server.ends {}
        }
    }

    @Test("uploads of a byte now and then leave other requests alone, and are given up")
    func uploads() async throws {
        let configure: @Sendable (inout ServerConfiguration) -> Void = {
            ($0.limits.requestsInFlight, $0.limits.uploads, $0.limits.stallSeconds) = (2, 2, 2)
        }
        try await TestServer.run(configure) { server async throws in
            let head =
                "POST /v1/models HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n"
                + "Content-Length: 1000000\r\n\r\n1"
            let slow = (0..<6).map { _ in RawConnection(server.port) }
            for connection in slow { await connection.send(head) }
            #expect(try await server.send("GET", "/v1/galleries").status == 200)
            var statuses: [Int] = []
            for connection in slow { statuses.append(await connection.answers().first?.status ?? 0) }
            #expect(statuses.sorted() == [408, 408, 503, 503, 503, 503])
            #expect(try await server.upload(TinyModel.file(seed: 1).data).status == 201)
        }
    }

    @Test("a body of a byte now and then is given up long before its time is over")
    func trickle() async throws {
        try await TestServer.run({ ($0.limits.bodySeconds, $0.limits.stallSeconds) = (3600, 1) }) { server in
            let connection = RawConnection(server.port)
            await connection.send(
                "POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
            )
            let writing = Task {
                while !Task.isCancelled {
                    await connection.send(" ")
                    try? await Task.sleep(for: .milliseconds(50))
                }
            }
            let answer = try #require(await connection.answers().first)
            writing.cancel()
            #expect(answer.status == 408)
            try Contract.check("POST", "/v1/galleries", answer.asAnswer)
        }
    }

    @Test("bodies count as they come if they declare no length, and JSON counts for what it takes")
    func bytes() async throws {
        let configure: @Sendable (inout ServerConfiguration) -> Void = {
            ($0.limits.bytesInFlight, $0.limits.stallSeconds, $0.limits.bodySeconds) = (100_000, 3600, 3600)
        }
        func head(_ type: String, _ framing: String) -> String {
            "POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Type: \(type)\r\n\(framing)\r\n\r\n"
        }
        let chunk = "ea60\r\n" + String(repeating: "x", count: 60_000) + "\r\n"
        for (first, second) in [
            (
                head("multipart/form-data; boundary=b", "Transfer-Encoding: chunked") + chunk,
                head("multipart/form-data; boundary=b", "Transfer-Encoding: chunked") + chunk + "0\r\n\r\n"
            ),
            (
                head("application/json", "Content-Length: 40000") + "[",
                head("application/json", "Content-Length: 40000") + String(repeating: " ", count: 40_000)
            ),
        ] {
            // A server each: what one that has gone still holds is none of the other's.
            try await TestServer.run(configure) { server async throws in
                let held = RawConnection(server.port)
                defer { held.leave() }
                await held.send(first)
                // Until the first has come so far: if the second came before it, the first would be refused.
                while try await server.metric("triptych_bytes_in_flight") < 60_000 {}
                let refused = RawConnection(server.port)
                await refused.send(second)
                #expect(await refused.answers().first?.status == 503, "\(first.prefix(100))")
                // A small one has room beside it.
                #expect(try await server.send("GET", "/v1/galleries").status == 200)
            }
        }
    }

    @Test("work for a client that has left is cancelled, and counted as such")
    func cancellation() async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let (cancellations, cancelled) = AsyncStream.makeStream(of: Void.self)
        let encoder = BrightnessEncoder {
            arrived.yield()
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                cancelled.yield()
                throw error
            }
        }
        try await TestServer.run({ $0.limits.requestSeconds = 3600 }, encoder: encoder) { server in
            let json = #"{"images": {"rgb": "\#(try picture(1).base64EncodedString())"}}"#
            let connection = RawConnection(server.port)
            await connection.send(
                "POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(json.utf8.count)\r\n\r\n\(json)")
            for await _ in arrivals { break }
            connection.leave()
            for await _ in cancellations { break }
            var text = ""
            for _ in 0..<1000 where !text.contains(#"route="/v1/embeddings",status="499"}"#) {
                text = String(decoding: try await server.send("GET", "/metrics").data, as: UTF8.self)
            }
            #expect(text.contains(#"route="/v1/embeddings",status="499"} 1"#))
        }
    }
}
