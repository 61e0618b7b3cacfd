import DatabaseFixtures
import Documents
import Foundation
import Server
import ServingFixtures
import Testing

@Suite(
    "Several servers of one gallery",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct ClusterTests {
    /// Runs two servers of one database.
    private func run(
        _ configure: @escaping @Sendable (inout ServerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (_ one: TestServer, _ two: TestServer) async throws -> Void
    ) async throws {
        try await DatabaseEngine.postgresql.taking {
            let database = try PostgreSQLServer.makeDatabase()
            let named = { @Sendable (name: String) in
                { @Sendable (configuration: inout ServerConfiguration) in
                    var cluster = ServerConfiguration.Cluster()
                    (cluster.name, cluster.sequenceSeconds) = (name, 10)
                    configuration.cluster = cluster
                    configure(&configuration)
                }
            }
            try await TestServer.run(sharing: database, named("one")) { one in
                try await TestServer.run(sharing: database, named("two")) { two in
                    _ = try await one.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
                    try await body(one, two)
                }
            }
        }
    }

    private func enrol(_ car: Int, at server: TestServer, key: String? = nil) async throws -> TestServer.Answer {
        try await server.sendForm(
            "/v1/galleries/g/identities/car-\(car)/sightings", ["rgb": picture(car)],
            headers: TestServer.authorization(key))
    }

    /// Until something holds: what one server knows reaches the other in a moment.
    private func wait(
        sourceLocation: SourceLocation = #_sourceLocation, for isReached: () async throws -> Bool
    ) async throws {
        try await eventually("waited in vain", within: .seconds(60), sourceLocation: sourceLocation, isReached)
    }

    @Test(
        "what is enrolled at one is the first match at another that is told its number, and gone there when it is erased"
    )
    func sequence() async throws {
        try await run { one, two in
            for car in 0..<12 {
                let (here, there) = car % 2 == 0 ? (one, two) : (two, one)
                let enrolled = try await enrol(car, at: here)
                let sequence = try #require(enrolled.headers["x-triptych-sequence"])
                let found = try await there.sendForm(
                    "/v1/galleries/g/queries", ["rgb": picture(car)], headers: ["X-Triptych-Sequence": sequence])
                #expect(found.json["matches"]?.array?.first?["identity"]?.string == "car-\(car)")
                #expect(try #require(Int(found.headers["x-triptych-sequence"] ?? "")) >= #require(Int(sequence)))
            }
            let erased = try await one.send("DELETE", "/v1/galleries/g/identities/car-3")
            let sequence = try #require(erased.headers["x-triptych-sequence"])
            let found = try await two.sendForm(
                "/v1/galleries/g/queries", ["rgb": picture(3)], headers: ["X-Triptych-Sequence": sequence])
            let identities = found.json["matches"]?.array?.compactMap { $0["identity"]?.string } ?? []
            #expect(identities.count == 10 && !identities.contains("car-3"))
        }
    }

    @Test("a number that is none is refused, and one that the server does not reach in time is answered with 503")
    func badSequences() async throws {
        try await run({ $0.cluster?.sequenceSeconds = 1 }) { one, _ in
            for text in ["x", "-1", "1.5", "99999999999999999999"] {
                let answer = try await one.send("GET", "/v1/galleries", headers: ["X-Triptych-Sequence": text])
                #expect(answer.status == 400 && answer.problem == "malformed-sequence")
            }
            let far = try await one.send("GET", "/v1/galleries", headers: ["X-Triptych-Sequence": "1000000"])
            #expect(far.status == 503 && far.problem == "behind" && far.headers["retry-after"] == "1")
        }
    }

    @Test("a key that one makes is asked for by the other, and refused there once it was revoked; rates are shared")
    func keys() async throws {
        try await run { one, two in
            let admin = try await one.key("admin")
            try await wait { try await two.send("GET", "/v1/galleries").status == 401 }
            #expect(try await two.send("GET", "/v1/galleries", key: admin).status == 200)
            let made = try await one.send(
                "POST", "/v1/keys", key: admin,
                json: #"{"name": "gate", "role": "enrol", "requests_per_minute": 60}"#)
            let (token, id) = (made.json["token"]?.string, made.json["key"]?["id"]?.string ?? "")
            try await wait {
                let answer = try await two.send("GET", "/v1/galleries", key: token)
                return answer.status == 200 && answer.headers["ratelimit-policy"] == "\"key\";q=30;w=60"
            }
            #expect(try await enrol(1, at: two, key: token).status == 201)
            #expect(try await two.send("DELETE", "/v1/keys/\(id)", key: admin).status == 200)
            try await wait { try await one.send("GET", "/v1/galleries", key: token).status == 401 }
        }
    }

    @Test("each event is called once, in order, whoever has written it; the next leader goes on when the first ends")
    func webhooks() async throws {
        let (secret, receiver) = (TemporarySecret(), Receiver())
        try await run({
            $0.webhooks.secretFile = secret.path
            $0.webhooks.allowsHTTP = true
            $0.webhooks.allowsPrivate = true
        }) { one, two in
            let made = try await two.sendJSON(
                "POST", "/v1/webhooks",
                #"{"url": "http://127.0.0.1:\#(receiver.port)/", "filter": {"kinds": ["enrolled"]}}"#)
            #expect(made.status == 201)
            for car in 0..<10 { #expect(try await enrol(car, at: car % 2 == 0 ? one : two).status == 201) }
            _ = try await receiver.wait(for: 10)
            let leader = try await one.send("GET", "/v1/servers").json["leader"]?.bool == true ? one : two
            let other = leader.port == one.port ? two : one
            await leader.shutDown()
            for await _ in leader.ends {}
            try await wait { try await other.send("GET", "/v1/servers").json["leader"]?.bool == true }
            for car in 10..<15 { #expect(try await enrol(car, at: other).status == 201) }
            let calls = try await receiver.wait(for: 15)
            let told = calls.map { call in
                (try? JSONDecoder().decode(JSONValue.self, from: call.body))?["data"]?["identity"]?.string
            }
            #expect(told == (0..<15).map { "car-\($0)" })
        }
    }

    @Test("each lists all, of which one leads, and is ready")
    func servers() async throws {
        try await run { one, two in
            try await wait {
                let lists = try await [one, two].asyncMap { try await $0.send("GET", "/v1/servers").json }
                return lists.allSatisfy { $0["items"]?.array?.count == 2 }
                    && lists.count { $0["leader"]?.bool == true } == 1
            }
            let names = try await two.send("GET", "/v1/servers").json["items"]?.array?.compactMap { $0["name"]?.string }
            #expect(names == ["one", "two"])
            for server in [one, two] { #expect(try await server.send("GET", "/readyz").status == 200) }
            let page = try await two.send("GET", "/metrics")
            #expect(String(decoding: page.data, as: UTF8.self).contains("triptych_servers{live=\"true\"} 2"))
        }
    }

    @Test(
        "a server that cannot load the model of all says so wherever it matters which that is, and lists what there is")
    func outOfStep() async throws {
        try await run { one, two in
            // The leader runs the job; on a busy machine either may lead.
            var leader: String?
            try await wait {
                let servers = try await one.send("GET", "/v1/servers").json["items"]?.array
                leader = servers?.first { $0["leader"]?.bool == true }?["name"]?.string
                return leader != nil
            }
            let (one, two) = leader == "two" ? (two, one) : (one, two)
            #expect(try await enrol(1, at: one).status == 201)
            try FileManager.default.removeItem(atPath: two.models)
            try Data().write(to: URL(fileURLWithPath: two.models))
            let model = try await one.publish(seed: 1)
            let job = try await one.activate(model)
            #expect(job["state"]?.string == "succeeded", "\(job)")
            try await wait { try await two.send("GET", "/readyz").status == 503 }
            for (method, path, body) in [
                ("GET", "export", nil), ("GET", "identities/car-1/similar", nil),
                ("PUT", "thresholds", #"{"thresholds": []}"#), ("POST", "groupings", #"{"threshold": 0.5}"#),
                ("POST", "calibrations", #"{"false_match_rate": 0.01}"#), ("POST", "evaluations", "{}"),
                ("POST", "maps", "{}"),
            ] {
                let ask = { (server: TestServer) in
                    try await server.send(
                        method, "/v1/galleries/g/\(path)", body: body.map { Data($0.utf8) },
                        type: body.map { _ in "application/json" })
                }
                let (there, here) = try await (ask(two), ask(one))
                #expect(there.status == 503 && there.problem == "out-of-step", "\(path)")
                #expect([200, 202].contains(here.status), "\(path)")
            }
            #expect(try await two.send("GET", "/v1/galleries/g/identities").status == 200)
            #expect(try await two.send("GET", "/v1/models").status == 200)
        }
    }

    @Test("a file cannot be shared")
    func file() throws {
        var configuration = ServerConfiguration()
        configuration.cluster = ServerConfiguration.Cluster()
        #expect(throws: ServerError.self) { try configuration.check(.init(label: "test")) }
    }
}

extension Sequence {
    /// One after the other.
    fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var results: [T] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
