import Foundation
import NIOSSL
import Server
import ServingFixtures
import Testing

@Suite("TLS")
struct TLSTests {
    private let health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test("requests are answered over TLS 1.2 and 1.3, and browsers are told to come back with it")
    func versions() async throws {
        let tls = try Certificates.tls()
        try await TestServer.run({ $0.tls = tls }) { server in
            for version in [TLSVersion.tlsv12, .tlsv13] {
                let connection = try await SecureConnection(server.port, version: version)
                for _ in 0..<2 {
                    await connection.send(health)
                    let answer = try #require(await connection.answers().first)
                    #expect(answer.status == 200)
                    #expect(answer.headers["strict-transport-security"] == "max-age=31536000")
                }
                #expect(try await connection.version() == version)
            }
        }
    }

    @Test("what is no TLS, or an older one, is not answered, and the next client is")
    func garbage() async throws {
        let tls = try Certificates.tls()
        try await TestServer.run({ $0.tls = tls }) { server in
            for bytes in [Data(health.utf8), Data(repeating: 0x16, count: 70_000), Data([0x16, 3, 1, 0xFF, 0xFF])] {
                let connection = RawConnection(server.port)
                await connection.send(bytes)
                if bytes.count > 5 { #expect(await !connection.receive().starts(with: Data("HTTP".utf8))) }
            }
            let old = try await SecureConnection(server.port, version: .tlsv11)
            #expect(await !old.isHealthy())
            let next = try await SecureConnection(server.port)
            #expect(await next.isHealthy())
        }
    }

    @Test("a handshake that does not come to its end is given up", arguments: ["", "\u{16}\u{3}\u{1}"])
    func stalledHandshake(bytes: String) async throws {
        let tls = try Certificates.tls()
        try await TestServer.run({
            $0.tls = tls
            $0.limits.handshakeSeconds = 1
        }) { server in
            let connection = RawConnection(server.port)
            await connection.send(bytes)
            // It returns because the server closes.
            #expect(await connection.receive().isEmpty)
        }
    }

    @Test("clients in a handshake count as connections: the one that is idle longest makes room")
    func handshakesCount() async throws {
        let tls = try Certificates.tls()
        try await TestServer.run({
            $0.tls = tls
            ($0.limits.requestsInFlight, $0.limits.uploads, $0.limits.eventStreams) = (2, 1, 1)
            ($0.limits.connections, $0.limits.handshakeSeconds) = (5, 3600)
        }) { server in
            let (closings, closed) = AsyncStream.makeStream(of: Void.self)
            for _ in 0..<20 {
                let silent = RawConnection(server.port)
                Task {
                    _ = await silent.receive()
                    closed.yield()
                }
            }
            // All but the five that there may be.
            var count = 0
            for await _ in closings {
                count += 1
                if count == 15 { break }
            }
            let asking = try await SecureConnection(server.port)
            #expect(await asking.isHealthy())
        }
    }

    @Test("with an authority of clients, those of another or of none are refused")
    func clientCertificates() async throws {
        let tls = try Certificates.tls(clientCA: "authority.pem")
        try await TestServer.run({ $0.tls = tls }) { server in
            for version in [TLSVersion.tlsv12, .tlsv13] {
                for (client, isServed) in [("client", true), ("stranger", false), (nil, false)] {
                    let connection = try await SecureConnection(
                        server.port, client: client, version: version)
                    #expect(await connection.isHealthy() == isServed, "\(client ?? "none") \(version)")
                }
            }
        }
    }

    @Test("a renewed certificate is shown to new connections, a broken one is not, and open connections go on")
    func renewal() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "triptych-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ServerConfiguration.TLS(
            certificate: folder.appending(path: "server.pem").path, key: folder.appending(path: "server.key").path)
        @Sendable func install(_ name: String, _ ending: String) throws {
            let source = try Data(contentsOf: URL(filePath: Certificates.path("\(name).\(ending)")))
            try source.write(to: folder.appending(path: "server.\(ending)"), options: .atomic)
        }
        try install("server", "pem")
        try install("server", "key")
        let log = TestLog()
        try await TestServer.run({ $0.tls = files }, log: log) { server in
            let first = try await SecureConnection(server.port)
            #expect(await first.isHealthy())
            #expect(try await first.server() == "first")
            // The certificate without its key.
            try install("renewed", "pem")
            while !log.lines.contains(where: { $0.contains("not taken") && $0.contains("tls.key") }) {
                await Task.yield()
            }
            let second = try await SecureConnection(server.port)
            #expect(await second.isHealthy())
            #expect(try await second.server() == "first")
            try install("renewed", "key")
            var name: String?
            repeat {
                let next = try await SecureConnection(server.port)
                #expect(await next.isHealthy())
                name = try await next.server()
            } while name == "first"
            #expect(name == "second")
            #expect(await first.isHealthy())
        }
    }

    @Test("files that cannot be used stop the start, with the key's name and what was expected")
    func unusable() async throws {
        let (certificate, key) = try (Certificates.path("server.pem"), Certificates.path("server.key"))
        for (tls, expected) in try [
            (.init(certificate: "/nowhere.pem", key: key), "tls.certificate: expected a file that can be read"),
            (.init(certificate: key, key: key), "tls.certificate: expected certificates in PEM"),
            (.init(certificate: certificate, key: "/nowhere.key"), "tls.key: expected a file that can be read"),
            (.init(certificate: certificate, key: certificate), "tls.key: expected a private key in PEM"),
            (
                .init(certificate: certificate, key: Certificates.path("renewed.key")),
                "tls.key: expected the key of the certificate"
            ),
            (.init(certificate: certificate, key: key, clientCA: key), "tls.client_ca: expected certificates in PEM"),
        ] as [(ServerConfiguration.TLS, String)] {
            let error = await #expect(throws: ServerError.self) { try await TestServer.run({ $0.tls = tls }) { _ in } }
            #expect("\(try #require(error))".hasPrefix(expected))
        }
    }

    @Test("an expired certificate is served: whose clock is wrong is not known")
    func expired() async throws {
        let tls = try Certificates.tls("expired")
        try await TestServer.run({ $0.tls = tls }) { server in
            let strict = try await SecureConnection(server.port)
            #expect(await !strict.isHealthy())
            let lenient = try await SecureConnection(server.port, verifies: false)
            #expect(await lenient.isHealthy())
        }
    }

    @Test("a client that leaves, with TLS's goodbye or without, is not an error of the server's")
    func leaving() async throws {
        let tls = try Certificates.tls()
        let log = TestLog()
        try await TestServer.run({ $0.tls = tls }, log: log) { server in
            for _ in 0..<20 {
                let connection = try await SecureConnection(server.port)
                await connection.send(
                    "POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                        + "Content-Length: 100\r\n\r\n{")
                connection.leave()
            }
            let watcher = try await SecureConnection(server.port)
            while try await watcher.metric("triptych_requests_in_flight") > 1 {}
            #expect(log.lines.isEmpty, "\(log.lines)")
        }
    }

    @Test("the server ends while clients are in a handshake, idle, or answered")
    func ending() async throws {
        let tls = try Certificates.tls()
        let (encodings, encoding) = AsyncStream.makeStream(of: Void.self)
        let (shutDowns, shutDown) = AsyncStream.makeStream(of: Void.self)
        let encoder = BrightnessEncoder {
            encoding.yield()
            for await _ in shutDowns { break }
        }
        try await TestServer.run({ $0.tls = tls }, encoder: encoder) { server in
            let silent = RawConnection(server.port)
            let idle = try await SecureConnection(server.port)
            #expect(await idle.isHealthy())
            let asking = try await SecureConnection(server.port)
            let json = #"{"images": {"rgb": "\#(try picture(1).base64EncodedString())"}}"#
            await asking.send(
                "POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(json.utf8.count)\r\n\r\n\(json)")
            for await _ in encodings { break }
            await server.shutDown()
            shutDown.yield()
            #expect(await asking.answers().first?.status == 200)
            for await _ in server.ends {}
            #expect(await silent.receive().isEmpty)
        }
    }
}

@Suite("Configuration of TLS and origins")
struct TLSConfigurationTests {
    private func configuration(_ yaml: String) throws -> ServerConfiguration {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(yaml.utf8).write(to: file)
        return try ServerConfiguration(path: file.path)
    }

    @Test("keys are read")
    func keys() throws {
        let read = try configuration(
            "tls: {certificate: a.pem, key: a.key, client_ca: ca.pem}\ncors: {origins: [\"https://example.org\"]}\n"
                + "limits: {handshake_seconds: 3}")
        #expect(read.tls == ServerConfiguration.TLS(certificate: "a.pem", key: "a.key", clientCA: "ca.pem"))
        #expect(read.origins == ["https://example.org"] && read.limits.handshakeSeconds == 3)
        let none = try configuration("port: 1")
        #expect(none.tls == nil && none.origins.isEmpty)
    }

    @Test(
        "a section that lacks a key, or has another, is refused with its name",
        arguments: [
            ("tls: {certificate: a.pem}", "tls.key"), ("tls: {key: a.key}", "tls.certificate"),
            ("tls: {certificate: a.pem, key: a.key, ca: b}", "tls.ca"), ("cors: {origin: [a]}", "cors.origin"),
            ("cors: {origins: https://a.org}", "cors.origins"),
        ])
    func refused(yaml: String, key: String) throws {
        let error = #expect(throws: ServerError.self) { try configuration(yaml) }
        #expect("\(try #require(error))".contains(key), "\(error.map { "\($0)" } ?? "")")
    }
}
