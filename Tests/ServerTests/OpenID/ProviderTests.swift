import Documents
import Foundation
import Server
import Synchronization
import Testing

@Suite("Keys of an OpenID provider")
struct ProviderTests {
    private func get(_ server: TestServer, _ token: String) async throws -> TestServer.Answer {
        try await server.send("GET", "/v1/galleries", key: token)
    }

    private func unknown(_ realm: Realm, _ id: String = UUID().uuidString) throws -> String {
        try realm.signer.token(Realm.claims(), header: ["kid": .string(id)])
    }

    @Test("whoever makes keys up does not have the provider called")
    func storm() async throws {
        let realm = try await Realm()
        try await realm.run({ $0.retrySeconds = 3600 }) { server in
            #expect(try await get(server, realm.token()).status == 200)
            for _ in 0..<200 {
                let answer = try await get(server, unknown(realm))
                #expect(answer.status == 401 && answer.headers["www-authenticate"]?.contains("invalid_token") == true)
            }
            #expect(try await get(server, realm.token()).status == 200)
            #expect(realm.provider.paths == ["/keys"])
        }
    }

    @Test("a key that is new is found as soon as one asks with it, and one that was taken back is good no more")
    func rotation() async throws {
        let (realm, next) = (try await Realm(), try TokenSigner.rsa("next"))
        try await realm.run { server in
            #expect(try await get(server, realm.token()).status == 200)
            #expect(try await get(server, next.token(Realm.claims())).status == 401)
            try realm.publish([next.publicKey(), realm.signer.publicKey()])
            #expect(try await get(server, next.token(Realm.claims())).status == 200)
            #expect(try await get(server, realm.token()).status == 200)
            try realm.publish([next.publicKey()])
            // Not before they are read again, which a key that is missing brings about.
            #expect(try await get(server, unknown(realm)).status == 401)
            #expect(try await get(server, realm.token()).status == 401)
            #expect(try await get(server, next.token(Realm.claims())).status == 200)
        }
    }

    @Test("old keys are read again, without anybody having to wait for it")
    func refresh() async throws {
        let (realm, next) = (try await Realm(), try TokenSigner.rsa("next"))
        try await realm.run({ $0.refreshSeconds = 0 }) { server in
            #expect(try await get(server, realm.token()).status == 200)
            try realm.publish([next.publicKey()])
            while try await get(server, realm.token()).status == 200 {}
            #expect(try await get(server, next.token(Realm.claims())).status == 200)
        }
    }

    @Test("a provider that is away stops nobody whose key is known; of others it is said that it is away")
    func away() async throws {
        let realm = try await Realm()
        try await realm.run({ ($0.refreshSeconds, $0.keepSeconds) = (0, 3600) }) { server in
            #expect(try await get(server, realm.token()).status == 200)
            realm.provider.change { _ in nil }
            let calls = realm.provider.paths.count
            while realm.provider.paths.count < calls + 3 {
                #expect(try await get(server, realm.token()).status == 200)
            }
            let answer = try await get(server, unknown(realm))
            #expect(answer.status == 503 && answer.problem == "provider-unavailable")
            #expect(answer.headers["retry-after"] != nil && answer.headers["connection"] == "close")
        }
        try await realm.run({ $0.keysURL = "http://127.0.0.1:1/keys" }) { server in
            let token = try realm.token()
            #expect(try await get(server, token).problem == "provider-unavailable")
            #expect(try await server.send("GET", "/healthz", key: token).status == 200)
        }
    }

    @Test("a provider that is away for too long may have taken its keys back")
    func tooLong() async throws {
        let realm = try await Realm()
        try await realm.run({ ($0.refreshSeconds, $0.keepSeconds) = (0, 1) }) { server in
            while try await get(server, realm.token()).status != 200 {}
            realm.provider.change { _ in nil }
            while try await get(server, realm.token()).status == 200 {}
            #expect(try await get(server, realm.token()).problem == "provider-unavailable")
        }
    }

    @Test("a provider that answers slowly holds up only those whose key it has, and not many of them")
    func slow() async throws {
        let realm = try await Realm()
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let keys = try Realm.set([realm.signer.publicKey()])
        try await realm.run({ ($0.refreshSeconds, $0.timeoutSeconds) = (0, 60) }) { server in
            #expect(try await get(server, realm.token()).status == 200)
            let calls = realm.provider.paths.count
            realm.provider.change { _ in
                for await _ in gate {}
                return Provider.answer(keys)
            }
            while realm.provider.paths.count == calls { #expect(try await get(server, realm.token()).status == 200) }
            let strangers = try (0..<40).map { _ in try unknown(realm) }
            let (statuses, told) = AsyncStream.makeStream(of: Int.self)
            for token in strangers {
                Task {
                    let connection = RawConnection(server.port)
                    await connection.send(
                        "GET /v1/galleries HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\r\n")
                    told.yield(await connection.answers().first?.status ?? 0)
                }
            }
            var found: [Int] = []
            for await status in statuses {
                found.append(status)
                if found.count == 8 {
                    // All others wait. Whoever is known does not.
                    for _ in 0..<20 { #expect(try await get(server, realm.token()).status == 200) }
                    #expect(try await server.send("GET", "/healthz", key: strangers[0]).status == 200)
                    opener.finish()
                }
                if found.count == strangers.count { break }
            }
            #expect(found.prefix(8).allSatisfy { $0 == 503 }, "\(found)")
            // Those that came late may have found every place taken too.
            #expect(found.contains(401) && found.allSatisfy { [401, 503].contains($0) }, "\(found)")
        }
    }

    @Test("what is no set of keys, too large, too long or elsewhere is not taken, and a good one afterwards is")
    func garbage() async throws {
        let realm = try await Realm()
        let weak = JSONValue.object([
            "kty": .string("RSA"), "kid": .string("first"), "e": .string("AQAB"),
            "n": .string(TokenSigner.base64URL(Data([0x80]) + Data(repeating: 1, count: 127))),
        ])
        let one = try realm.signer.publicKey()
        let many = try Realm.set(
            (0..<65).map { .object((one.object ?? [:]).merging(["kid": .string("\($0)")]) { $1 }) })
        // Of a set that is good, what is not is passed over.
        let odd: [[String: JSONValue]] = try [
            ["e": .string("AQ")], ["e": .string("")], ["e": .string("AAAA")], ["n": .string("")], ["n": .string("?")],
            ["kty": .integer(1)], ["kty": .string("oct")], ["use": .string("enc")], ["key_ops": .array([.string("x")])],
        ].map { try realm.signer.publicKey($0.merging(["kid": .string("odd")]) { $1 }).object ?? [:] }
        let points: [[String: JSONValue]] = try [
            ["x": .string("")], ["y": .string("AQ")], ["crv": .string("P-384")], ["crv": .string("secp256k1")],
            ["kty": .string("OKP"), "crv": .string("Ed25519"), "x": .string("AQ")], ["x": .null],
        ].map { try TokenSigner.p256("odd").publicKey($0).object ?? [:] }
        let good = try Realm.set([weak, .object([:])] + (odd + points).map(JSONValue.object) + [one])
        let answers: [(Data?, String)] = try [
            (Provider.answer("<html>"), "expected a value"), (Provider.answer(""), "a value"),
            (Provider.answer("[]"), "an object"),
            (Provider.answer(#"{"keys":[]}"#), "no key"), (Provider.answer(#"{"keys":5}"#), "a list of objects"),
            (Provider.answer(#"{"keys":[1]}"#), "an object"),
            (Provider.answer(Realm.set([weak])), "2048 to 8192 bits"), (Provider.answer(many), "at most 64 keys"),
            (Provider.answer(Realm.set([one]) + String(repeating: " ", count: 1 << 20)), "more than 262144 bytes"),
            (Provider.answer(Realm.set([one]), status: "500 Oops"), "answered with 500"),
            (Provider.answer("", status: "302 Found\r\nLocation: \(realm.provider.url)/keys"), "answered with 302"),
            (Data("nothing".utf8), "HTTP/0.9"), (nil, "Empty reply"),
        ]
        let log = JSONLog()
        let openID = realm.configuration
        realm.provider.change { _ in nil }
        try await TestServer.run({ $0.openID = openID }, logger: log.logger) { server in
            // What it asked for at its start.
            while !log.whole.contains("were not read") { try await Task.sleep(for: .milliseconds(10)) }
            for (answer, reason) in answers {
                realm.provider.change { _ in answer }
                let refused = try await get(server, realm.token())
                #expect(refused.problem == "provider-unavailable", "\(reason)")
                #expect(log.whole.contains(reason), "\(reason)")
            }
            realm.provider.change { _ in Provider.answer(good) }
            #expect(try await get(server, realm.token()).status == 200)
        }
    }

    @Test("its keys are where its discovery document says, if that is its own; over TLS its authority must be known")
    func discovery() async throws {
        let realm = try await Realm(certificate: "server")
        let keys = try Realm.set([realm.signer.publicKey()])
        let issuer = realm.provider.url + "/realms/a"
        let authority = try Certificates.path("authority.pem")
        let claimed = Mutex(issuer)
        realm.provider.change { [url = realm.provider.url] path in
            path == "/k"
                ? Provider.answer(keys)
                : Provider.answer(#"{"issuer":"\#(claimed.withLock { $0 })","jwks_uri":"\#(url)/k","x":[1e300]}"#)
        }
        let trust = { (configuration: inout ServerConfiguration.OpenID) in
            (configuration.keysURL, configuration.issuer) = (nil, issuer)
            (configuration.allowsHTTP, configuration.caFile) = (false, authority)
        }
        try await realm.run(trust) { server in
            let token = try realm.token(["iss": .string(issuer)])
            #expect(try await get(server, token).status == 200)
            #expect(realm.provider.paths == ["/realms/a/.well-known/openid-configuration", "/k"])
        }
        claimed.withLock { $0 = realm.provider.url }
        try await realm.run(trust) { server in
            let token = try realm.token(["iss": .string(issuer)])
            #expect(try await get(server, token).problem == "provider-unavailable")
        }
        claimed.withLock { $0 = issuer }
        let called = realm.provider.paths.count
        for change in [
            { $0.caFile = nil }, { $0.allowsPrivate = false },
        ] as [@Sendable (inout ServerConfiguration.OpenID) -> Void] {
            try await realm.run({
                trust(&$0)
                change(&$0)
            }) { server in
                let token = try realm.token(["iss": .string(issuer)])
                #expect(try await get(server, token).problem == "provider-unavailable")
            }
        }
        #expect(realm.provider.paths.count == called)
    }
}
