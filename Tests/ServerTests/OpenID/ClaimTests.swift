import Documents
import Foundation
import Server
import Testing

@Suite("What tokens may do")
struct ClaimTests {
    @Test("a claim's values are roles, of which the highest counts; without one nothing is allowed")
    func roles() async throws {
        let realm = try await Realm()
        try await realm.run { server in
            let operatorToken = try realm.token(role: "operator")
            let made = try await server.send("POST", "/v1/galleries", key: operatorToken, json: #"{"name": "g"}"#)
            #expect(made.status == 201)
            let enrol = { (token: String, id: String) in
                try await server.send("POST", "/v1/galleries/g/identities", key: token, json: #"{"id": "\#(id)"}"#)
            }
            #expect(try await enrol(realm.token(role: "guard"), "a").problem == "role-too-low")
            #expect(try await enrol(realm.token(role: "gate"), "a").status == 201)
            let both = JSONValue.object(["roles": .array(["reader", "gate"].map(JSONValue.string))])
            #expect(try await enrol(realm.token(["realm_access": both]), "b").status == 201)
            #expect(try await server.send("DELETE", "/v1/galleries/g", key: realm.token(role: "gate")).status == 403)
            for claim in [
                .null, .object([:]), .object(["roles": .array([])]), .array([.string("gate")]), .string("gate"),
                .object(["roles": .object(["gate": .bool(true)])]), .object(["roles": .string("Gate")]),
            ] as [JSONValue] {
                let answer = try await enrol(realm.token(["realm_access": claim]), "c")
                #expect(answer.status == 403 && answer.problem == "role-too-low", "\(claim)")
                #expect(answer.json["detail"]?.string?.contains("realm_access.roles") == true)
            }
        }
    }

    @Test("a scope is a list with spaces")
    func scope() async throws {
        let realm = try await Realm()
        for name in ["scope", "scp"] {
            try await realm.run({ $0.roles.claim = [name] }) { server in
                let token = try realm.token([name: .string("openid reader")])
                #expect(try await server.send("GET", "/v1/galleries", key: token).status == 200)
            }
        }
    }

    @Test("a claim's values are galleries, or are mapped to them, or stand for all")
    func galleries() async throws {
        let realm = try await Realm()
        @Sendable func token(_ places: JSONValue) throws -> String {
            try realm.token(["places": places], role: "operator")
        }
        @Sendable func list(_ server: TestServer, _ places: JSONValue) async throws -> [String]? {
            let answer = try await server.send("GET", "/v1/galleries", key: token(places))
            return answer.json["items"]?.array?.compactMap { $0["name"]?.string }
        }
        try await realm.run({
            ($0.galleries.claim, $0.galleries.all, $0.galleries.standard) = (["places"], ["*"], .none)
        }) { server in
            for name in ["a", "b", "c"] {
                let made = try await server.send(
                    "POST", "/v1/galleries", key: token(.string("*")), json: #"{"name": "\#(name)"}"#)
                #expect(made.status == 201)
            }
            let places = JSONValue.array([.string("a"), .string("c"), .string("x")])
            let some = try token(places)
            #expect(try await list(server, places) == ["a", "c"])
            #expect(try await server.send("GET", "/v1/galleries/b", key: some).problem == "other-gallery")
            #expect(try await server.send("GET", "/v1/keys", key: some).problem == "other-gallery")
            #expect(try await server.send("GET", "/v1/keys", key: token(.string("*"))).status == 200)
            for places in [.null, .array([]), .integer(1)] as [JSONValue] {
                let answer = try await server.send("GET", "/v1/galleries", key: token(places))
                #expect(answer.problem == "other-gallery", "\(places)")
            }
            let many = JSONValue.array((0..<101).map { .string("\($0)") })
            #expect(try await server.send("GET", "/v1/galleries", key: token(many)).status == 401)
        }
        try await realm.run({
            ($0.galleries.claim, $0.galleries.standard) = (["places"], .all)
            $0.galleries.map = [
                .init(value: "/north", galleries: ["a", "b"]), .init(value: "/south", galleries: ["b", "c"]),
            ]
        }) { server in
            for name in ["a", "b", "c"] {
                _ = try await server.send(
                    "POST", "/v1/galleries", key: token(.null), json: #"{"name": "\#(name)"}"#)
            }
            #expect(try await list(server, .null) == ["a", "b", "c"])
            #expect(try await list(server, .string("/north")) == ["a", "b"])
            #expect(
                try await list(server, .array([.string("/north"), .string("/south"), .string("c")])) == ["a", "b", "c"])
            #expect(try await server.send("GET", "/v1/galleries", key: token(.string("a"))).status == 403)
        }
    }

    @Test("each subject has a rate of its own, over all its tokens")
    func rates() async throws {
        let realm = try await Realm()
        try await realm.run(server: { $0.limits.requestsPerMinute = 2 }) { server in
            for left in [1, 0] {
                let token = try realm.token(["jti": .string(UUID().uuidString)])
                let answer = try await server.send("GET", "/v1/galleries", key: token)
                #expect(answer.status == 200 && answer.headers["ratelimit"]?.hasPrefix("\"key\";r=\(left);") == true)
            }
            #expect(try await server.send("GET", "/v1/galleries", key: realm.token()).problem == "too-many-requests")
            let other = try realm.token(["sub": .string("camera-8")])
            #expect(try await server.send("GET", "/v1/galleries", key: other).status == 200)
        }
    }

    @Test("the audit log and the lines of requests say whose token it was, and have nothing of the token")
    func audit() async throws {
        let (realm, log) = (try await Realm(), JSONLog())
        let openID = realm.configuration
        try await TestServer.run({ $0.openID = openID }, logger: log.logger) { server in
            let token = try realm.token(["sub": .string("user:42")], role: "operator")
            let made = try await server.send("POST", "/v1/galleries", key: token, json: #"{"name": "g"}"#)
            #expect(made.status == 201)
            #expect(log.requests.last?["key"]?.string == "openid:user:42")
            let all = try await server.send("GET", "/v1/audit?by=openid:user:42", key: token).json["items"]?.array
            #expect(all?.compactMap { $0["action"]?.string } == ["gallery-created"])
            for part in token.split(separator: ".") { #expect(!log.whole.contains(part)) }
        }
    }

    @Test("a stream ends with the token that opened it, and not before")
    func stream() async throws {
        let realm = try await Realm()
        try await realm.run({ $0.leewaySeconds = 0 }) { server in
            var (token, received) = ("", "")
            // On a machine that is too busy to ask before the token's end, it is tried with a later one.
            for life in [1.5, 6, 24] where !received.contains("retry: 2000") {
                let end = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 + life).rounded(.up))
                token = try realm.token(["exp": .integer(Int(end.timeIntervalSince1970))])
                let connection = RawConnection(server.port)
                await connection.send("GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\r\n")
                let heard = await connection.receive { $0.range(of: Data("0\r\n\r\n".utf8)) != nil }
                received = String(decoding: heard, as: UTF8.self)
                #expect(Date() >= end)
            }
            #expect(received.contains("retry: 2000") && received.hasSuffix("0\r\n\r\n"), "\(received)")
            #expect(try await server.send("GET", "/v1/events", key: token).status == 401)
        }
    }
}
