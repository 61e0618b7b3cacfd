import Foundation
import Gallery
import Server
import Serving
import ServingFixtures
import Synchronization
import Testing

extension TestServer {
    /// Makes a key, by that of an admin, and gives its token.
    func key(
        _ role: String, galleries: [String]? = nil, options: String = "", by admin: String? = nil
    ) async throws -> String {
        let places = galleries.map { #", "galleries": [\#($0.map { "\"\($0)\"" }.joined(separator: ", "))]"# } ?? ""
        let answer = try await send(
            "POST", "/v1/keys", body: Data(#"{"name": "test", "role": "\#(role)"\#(places)\#(options)}"#.utf8),
            type: "application/json", headers: Self.authorization(admin))
        return try #require(answer.json["token"]?.string)
    }

    /// The header field that proves a key.
    static func authorization(_ token: String?) -> [String: String] {
        token.map { ["Authorization": "Bearer \($0)"] } ?? [:]
    }

    /// A request with a key.
    func send(
        _ method: String, _ path: String, key: String?, json: String? = nil
    ) async throws -> Answer {
        try await send(
            method, path, body: json.map { Data($0.utf8) }, type: json == nil ? nil : "application/json",
            headers: Self.authorization(key))
    }
}

@Suite("Keys")
struct KeyTests {
    @Test("from the first key on every request takes one, and that one is an admin's")
    func first() async throws {
        try await TestServer.run { server in
            #expect(try await server.send("GET", "/v1/galleries").status == 200)
            for options in [#""role": "read""#, #""role": "admin", "galleries": ["g"]"#] {
                let answer = try await server.sendJSON("POST", "/v1/keys", #"{"name": "x", \#(options)}"#)
                #expect(answer.status == 400 && answer.problem == "invalid-field")
            }
            #expect(try await server.send("GET", "/v1/galleries").status == 200)
            let admin = try await server.key("admin")
            for path in ["/v1/galleries", "/v1/models", "/metrics", "/v1/keys", "/v1/jobs"] {
                let answer = try await server.send("GET", path)
                #expect(answer.status == 401 && answer.problem == "unauthenticated")
                #expect(answer.headers["www-authenticate"] == "Bearer realm=\"triptych\"")
                #expect(try await server.send("GET", path, key: admin).status == 200)
            }
            #expect(try await server.send("GET", "/healthz").status == 200)
            #expect(try await server.send("GET", "/openapi.yaml").status == 200)
            #expect(try await server.send("GET", "/readyz").json.object?.keys.sorted() == ["status"])
            #expect(try await server.send("GET", "/readyz", key: admin).json["sightings"]?.integer == 0)
            let other = try await server.key("read", by: admin)
            #expect(try await server.send("GET", "/v1/galleries", key: other).status == 200)
        }
    }

    @Test("whoever asks is told who they are and what they may do, and of the server nothing without all galleries")
    func access() async throws {
        try await TestServer.run { server in
            let operations = { (answer: TestServer.Answer) in
                Set(answer.json["operations"]?.array?.compactMap(\.string) ?? [])
            }
            let anyone = try await server.send("GET", "/v1/access")
            #expect(anyone.json["name"]?.string == "anyone" && anyone.json["id"] == nil)
            let everything = operations(anyone)
            let open = ["healthz", "readyz", "openapi.yaml", "", "console", "console/{file}"].map { "GET /\($0)" }
            #expect(everything == Set(server.routes.filter { !$0.hasPrefix("HEAD ") }).subtracting(open))
            let admin = try await server.key("admin")
            #expect(try await operations(server.send("GET", "/v1/access", key: admin)) == everything)
            #expect(try await server.send("GET", "/v1/access").status == 401)
            let erasing = "DELETE /v1/galleries/{gallery}/identities/{identity}"
            let renaming = "POST /v1/galleries/{gallery}/identities/{identity}/rename"
            for (role, mayRename, mayErase) in [("read", false, false), ("enrol", true, false), ("admin", true, true)] {
                let token = try await server.key(role, galleries: ["parking"], by: admin)
                let answer = try await server.send("GET", "/v1/access", key: token)
                #expect(answer.json["role"]?.string == role && answer.json["galleries"] == .array([.string("parking")]))
                let found = operations(answer)
                #expect(found.contains(renaming) == mayRename && found.contains(erasing) == mayErase, "\(role)")
                #expect(found.isDisjoint(with: ["GET /metrics", "GET /v1/keys", "GET /v1/servers", "POST /v1/models"]))
                #expect(found.isSuperset(of: ["GET /v1/models", "POST /v1/galleries/{gallery}/queries"]))
            }
        }
    }

    @Test("what is no key, another's, revoked or expired is refused; why, only its owner is told")
    func refused() async throws {
        let tokens = Mutex<[String]>([])
        let prepare = { (database: String) in
            let file = try await AccessKeyFile(path: database)
            let admin = try await file.create(NewAccessKey(name: "admin", role: .admin)).token.text
            var new = NewAccessKey(name: "short", role: .read)
            new.expiresAt = Date(timeIntervalSinceNow: 0.05)
            let short = try await file.create(new).token.text
            tokens.withLock { $0 = [admin, short] }
            try await file.close()
            while Date() < new.expiresAt ?? .distantPast { try await Task.sleep(for: .milliseconds(10)) }
        }
        try await TestServer.run(preparing: prepare) { server in
            let (admin, short) = tokens.withLock { ($0[0], $0[1]) }
            let id = { (token: String) in String(token.split(separator: "_")[1]) }
            let wrong = "triptych_\(id(short))_\(String(repeating: "0", count: 64))"
            for token in ["", "x", "triptych", wrong, "triptych_000000000000_\(String(repeating: "0", count: 64))"] {
                let answer = try await server.send("GET", "/v1/galleries", key: token)
                #expect(answer.status == 401, "\(token)")
                #expect(answer.json["detail"]?.string?.contains("expired") == false)
            }
            #expect(
                try await server.send(
                    "GET", "/v1/galleries",
                    headers: ["Authorization": "Basic \(Data("a:\(admin)".utf8).base64EncodedString())"]
                ).status == 401)
            let expired = try await server.send("GET", "/v1/galleries", key: short)
            #expect(expired.status == 401 && expired.json["detail"]?.string?.contains("has expired") == true)
            let enrol = try await server.key("enrol", by: admin)
            #expect(try await server.send("GET", "/v1/galleries", key: enrol).status == 200)
            let revoked = try await server.send("DELETE", "/v1/keys/\(id(enrol))", key: admin)
            #expect(revoked.status == 200 && revoked.json["revoked_at"] != nil)
            let after = try await server.send("GET", "/v1/galleries", key: enrol)
            #expect(after.status == 401 && after.json["detail"]?.string?.contains("was revoked") == true)
            #expect(try await server.send("DELETE", "/v1/keys/000000000000", key: admin).problem == "key-not-found")
            let list = try await server.send("GET", "/v1/keys", key: admin)
            #expect(list.json["items"]?.array?.compactMap { $0["role"]?.string } == ["admin", "read", "enrol"])
            #expect(!String(decoding: list.data, as: UTF8.self).contains("triptych_"))
        }
    }

    @Test("a body that comes without a key is not read")
    func body() async throws {
        try await TestServer.run { server in
            _ = try await server.key("admin")
            let connection = RawConnection(server.port)
            await connection.send(
                "POST /v1/galleries/g/imports HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-tar\r\n"
                    + "Content-Length: 10000000000\r\n\r\nsome of it")
            // Until the server closes.
            let answers = RawConnection.answers(in: await connection.receive())
            #expect(answers.map(\.status) == [401] && answers.first?.headers["connection"] == "close")
        }
    }

    @Test("a key in an address is refused, whatever else the request has")
    func address() async throws {
        try await TestServer.run { server in
            let admin = try await server.key("admin")
            for name in ["access_token", "api_key", "key", "token"] {
                let answer = try await server.send("GET", "/v1/galleries?\(name)=\(admin)", key: admin)
                #expect(answer.status == 400 && answer.problem == "key-in-address")
                #expect(!String(decoding: answer.data, as: UTF8.self).contains(admin))
            }
        }
    }

    @Test("a key of some galleries knows of nothing else")
    func galleries() async throws {
        try await TestServer.run { server in
            for name in ["a", "b", "c"] {
                _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "\#(name)"}"#)
            }
            let admin = try await server.key("admin")
            let grouping = try await server.send(
                "POST", "/v1/galleries/b/groupings", key: admin, json: #"{"threshold": 0.5}"#)
            let job = try #require(grouping.json["id"]?.string)
            let some = try await server.key("admin", galleries: ["a", "c", "d"], by: admin)
            let listed = try await server.send("GET", "/v1/galleries?limit=1", key: some).json
            let rest = try await server.send(
                "GET", "/v1/galleries?limit=1&cursor=\(listed["next"]?.string ?? "")", key: some
            ).json
            #expect(listed["items"]?.array?.map { $0["name"]?.string } == ["a"])
            #expect(rest["items"]?.array?.map { $0["name"]?.string } == ["c"] && rest["next"] == .null)
            #expect(try await server.send("GET", "/v1/galleries/a", key: some).status == 200)
            // There or not, one is told the same.
            for name in ["b", "x"] {
                let answer = try await server.send("GET", "/v1/galleries/\(name)", key: some)
                #expect(answer.status == 403 && answer.problem == "other-gallery")
                let made = try await server.send("POST", "/v1/galleries", key: some, json: #"{"name": "\#(name)"}"#)
                #expect(made.status == 403 && made.problem == "other-gallery")
            }
            #expect(try await server.send("POST", "/v1/galleries", key: some, json: #"{"name": "d"}"#).status == 201)
            for path in ["/metrics", "/v1/keys"] {
                #expect(try await server.send("GET", path, key: some).problem == "other-gallery")
            }
            #expect(try await server.send("GET", "/v1/jobs/\(job)", key: some).problem == "job-not-found")
            #expect(try await server.send("GET", "/v1/jobs", key: some).json["items"]?.array?.isEmpty == true)
            #expect(try await server.send("GET", "/v1/jobs", key: admin).json["items"]?.array?.count == 1)
        }
    }

    @Test("a stream ends with the key that opened it")
    func stream() async throws {
        let (stays, ends) = AsyncStream.makeStream(of: Void.self)
        let encoder = BrightnessEncoder { for await _ in stays {} }
        try await TestServer.run(encoder: encoder) { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let admin = try await server.key("admin")
            let line = #"{"identity": "a", "images": {"rgb": "\#(try picture(1).base64EncodedString())"}}"#
            let job = try await server.send(
                "POST", "/v1/galleries/g/imports", body: Data(line.utf8), type: "application/x-ndjson",
                headers: TestServer.authorization(admin))
            let key = try await server.key("read", galleries: ["g"], by: admin)
            let connection = RawConnection(server.port)
            await connection.send(
                "GET /v1/jobs/\(job.json["id"]?.string ?? "")/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(key)\r\n\r\n"
            )
            _ = await connection.receive { $0.range(of: Data("event: progress".utf8)) != nil }
            let id = key.split(separator: "_")[1]
            #expect(try await server.send("DELETE", "/v1/keys/\(id)", key: admin).status == 200)
            // The last chunk.
            let rest = await connection.receive { $0.range(of: Data("0\r\n\r\n".utf8)) != nil }
            #expect(rest.range(of: Data("event: end".utf8)) == nil)
            ends.finish()
        }
    }

    @Test("keys outlive the server, and a listener beyond loopback takes one or a word that it does not")
    func start() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("triptych-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("g.sqlite").path
        var configuration = ServerConfiguration()
        (configuration.host, configuration.port, configuration.database) = ("0.0.0.0", 0, path)
        configuration.models = folder.appendingPathComponent("models").path
        func start() async throws {
            let gallery = try await GalleryStore.open(path: path)
            do {
                _ = try await TriptychServer(
                    configuration: configuration, encoder: BrightnessEncoder(), gallery: gallery,
                    logger: .init(label: "test") { _ in TestLog() })
            } catch {
                try await gallery.close()
                throw error
            }
            try await gallery.close()
        }
        let error = await #expect(throws: ServerError.self) { try await start() }
        #expect("\(error.map { "\($0)" } ?? "")".contains("triptych keys create --database \(path)"))
        let file = try await AccessKeyFile(path: path)
        let made = try await file.create(NewAccessKey(name: "first", role: .admin))
        await #expect(throws: GalleryError.inUse(path)) { _ = try await AccessKeyFile(path: path) }
        try await file.close()
        try await start()
        let again = try await AccessKeyFile(path: path)
        #expect(try await again.all() == [made.key] && made.key.matches(made.token.secret))
        _ = try await again.revoke(made.key.id)
        await #expect(throws: GalleryError.notFound(.key, "nobody")) { try await again.revoke("nobody") }
        try await again.close()
        // Revoked, it still says that keys are needed.
        try await start()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(bytes.range(of: Data(made.token.secret.utf8)) == nil)
    }
}
