import Crypto
import Documents
import Foundation
import Server
import Testing

@Suite("Tokens of an OpenID provider")
struct TokenTests {
    private func get(_ server: TestServer, _ token: String) async throws -> TestServer.Answer {
        try await server.send("GET", "/v1/galleries", key: token)
    }

    /// Expects a token to be refused as RFC 6750 says, with a reason.
    private func expectRefused(_ server: TestServer, _ token: String, _ reason: String, _ of: String) async throws {
        let answer = try await get(server, token)
        #expect(answer.status == 401 && answer.problem == "unauthenticated", "\(of)")
        #expect(answer.headers["www-authenticate"] == "Bearer realm=\"triptych\", error=\"invalid_token\"", "\(of)")
        let detail = answer.json["detail"]?.string ?? ""
        #expect(detail.contains(reason), "\(of): \(detail)")
    }

    @Test("tokens by RSA and by an elliptic curve are good, beside keys; without either nobody is let in")
    func good() async throws {
        let (realm, curve) = (try await Realm(), TokenSigner.p256("curve"))
        try realm.publish([
            realm.signer.publicKey(["alg": .string("RS256"), "use": .string("sig")]), curve.publicKey(),
        ])
        try await realm.run { server in
            #expect(try await get(server, realm.token()).status == 200)
            #expect(try await get(server, curve.token(Realm.claims())).status == 200)
            // No key was made, and yet one of the two is needed.
            let none = try await server.send("GET", "/v1/galleries")
            #expect(none.status == 401 && none.headers["www-authenticate"] == "Bearer realm=\"triptych\"")
            let admin = try await server.key("admin", by: realm.token(role: "operator"))
            #expect(try await get(server, admin).status == 200)
            #expect(try await get(server, realm.token()).status == 200)
            let other = "triptych_000000000000_\(String(repeating: "0", count: 64))"
            try await expectRefused(server, other, "expected a key of this server", "another server's key")
            #expect(try await server.send("GET", "/healthz").status == 200)
            #expect(try await server.send("GET", "/readyz", key: realm.token()).json["sightings"] != nil)
            #expect(try await server.send("GET", "/readyz").json["sightings"] == nil)
        }
    }

    @Test("claims of another issuer, for another audience or for another time are refused")
    func claims() async throws {
        let realm = try await Realm()
        let now = Int(Date().timeIntervalSince1970)
        try await realm.run({ $0.leewaySeconds = 300 }) { server in
            let cases: [([String: JSONValue], String)] = [
                (["iss": .string("https://id.example.org/")], "expected a token of https://id.example.org"),
                (["iss": .null], "expected a token of"), (["iss": .integer(1)], "expected a token of"),
                (["aud": .string("triptych2")], "aud"), (["aud": .array([.string("a"), .string("b")])], "aud"),
                (["aud": .null], "aud"), (["aud": .array([])], "aud"),
                (["exp": .integer(now - 310)], "has expired"), (["exp": .null], "expected a token with exp"),
                (["exp": .string("\(now + 300)")], "expected a token with exp"),
                (["nbf": .integer(now + 3600)], "not valid yet: nbf"), (["nbf": .string("0")], "not valid yet"),
                (["iat": .integer(now + 3600)], "not valid yet: iat"),
                (["sub": .null], "sub"), (["sub": .string("")], "sub"), (["sub": .string("a\nb")], "sub"),
                (["sub": .string(String(repeating: "x", count: 256))], "sub"),
                (["cnf": .object(["jkt": .string("x")])], "cnf"),
            ]
            for (change, reason) in cases {
                try await expectRefused(server, realm.token(change), reason, "\(change)")
            }
            for change in [
                ["exp": .integer(now - 10)], ["exp": .number(Double(now) + 100.5)], ["nbf": .integer(now + 10)],
                ["iat": .null], ["aud": .array([.string("x"), .string("triptych")])],
                ["sub": .string(String(repeating: "x", count: 255))],
            ] as [[String: JSONValue]] {
                #expect(try await get(server, realm.token(change)).status == 200, "\(change)")
            }
        }
    }

    @Test("what has no signature, one by a secret that everybody knows, or one by another key is refused")
    func signatures() async throws {
        let (realm, curve) = (try await Realm(), TokenSigner.p256("curve"))
        let known = TokenSigner(id: "known", algorithm: "HS256", key: .secret(Data("a secret of the provider's".utf8)))
        try realm.publish([
            realm.signer.publicKey(), curve.publicKey(), known.publicKey(),
            realm.signer.publicKey(["kid": .string("encrypts"), "use": .string("enc")]),
            realm.signer.publicKey(["kid": .string("longer"), "alg": .string("RS384")]),
        ])
        guard case .rsa(let key) = realm.signer.key else { return }
        let secrets = [
            Data(key.publicKey.pemRepresentation.utf8), Data(key.publicKey.pkcs1PEMRepresentation.utf8),
            key.publicKey.derRepresentation, try key.publicKey.getKeyPrimitives().modulus, Data(),
        ]
        try await realm.run({ $0.algorithms = [.rs256, .rs384, .es256] }) { server in
            for secret in secrets {
                let forger = TokenSigner(id: "first", algorithm: "HS256", key: .secret(secret))
                try await expectRefused(server, forger.token(Realm.claims()), "another alg", "HS256")
                // The name of the algorithm alone makes no signature.
                try await expectRefused(
                    server, forger.token(Realm.claims(), header: ["alg": .string("RS256")]), "another", "RS256")
            }
            try await expectRefused(server, known.token(Realm.claims()), "another alg", "a key of type oct")
            for name in ["none", "None", "NONE", "", "rs256", "RS256 "] {
                let unsigned = TokenSigner(id: "first", algorithm: name, key: .none)
                try await expectRefused(server, unsigned.token(Realm.claims()), "another alg", name)
            }
            let empty = TokenSigner(id: "first", algorithm: "RS256", key: .none)
            try await expectRefused(server, empty.token(Realm.claims()), "expected a signature", "an empty one")
            let stranger = try TokenSigner.rsa("first")
            try await expectRefused(server, stranger.token(Realm.claims()), "expected a signature", "a stranger's")
            let good = try realm.token()
            let parts = good.split(separator: ".").map(String.init)
            let other = TokenSigner.base64URL(
                Data(try JSONValue.object(Realm.claims(role: "operator")).canonicalText().utf8))
            try await expectRefused(server, "\(parts[0]).\(other).\(parts[2])", "expected a signature", "other claims")
            // The key's type, what it is for and the list decide, not the token.
            for (id, algorithm) in [
                ("curve", "RS256"), ("first", "ES256"), ("encrypts", "RS256"), ("longer", "RS256"), ("known", "RS256"),
            ] {
                let header: [String: JSONValue] = ["kid": .string(id), "alg": .string(algorithm)]
                try await expectRefused(
                    server, realm.signer.token(Realm.claims(), header: header), "expected a kid", "\(id) \(algorithm)")
            }
            var wide = realm.signer
            wide.algorithm = "PS256"
            try await expectRefused(server, wide.token(Realm.claims()), "signed by RS256, RS384, ES256", "PS256")
            #expect(try await get(server, good).status == 200)
            // Without a kid there must be but one that can have signed it.
            let nameless: [String: JSONValue] = ["kid": .null]
            #expect(try await get(server, realm.signer.token(Realm.claims(), header: nameless)).status == 200)
            try realm.publish([realm.signer.publicKey(), stranger.publicKey(["kid": .string("b")]), curve.publicKey()])
            #expect(try await get(server, stranger.token(Realm.claims(), header: ["kid": .string("b")])).status == 200)
            try await expectRefused(
                server, realm.signer.token(Realm.claims(), header: nameless), "found none", "no kid, two keys")
            #expect(try await get(server, curve.token(Realm.claims(), header: nameless)).status == 200)
        }
    }

    @Test("what is no token of this kind is refused, and ends nothing")
    func forms() async throws {
        let realm = try await Realm()
        try await realm.run { server in
            let payload = try JSONValue.object(Realm.claims()).canonicalText()
            let headers = [
                // What JWTKit's own reader of headers ends the process at.
                #"{"alg":"RS256","kid":"first","x":1e300}"#: 200,
                #"{"alg":"RS256","kid":"first","jku":"http://127.0.0.1:1/","jwk":{"kty":"oct"},"x5c":["x"]}"#: 200,
                #"{"alg":"RS256","kid":"first","typ":"at+JWT"}"#: 200,
                #"{"alg":"RS256","kid":"first","typ":"application/at+jwt"}"#: 200,
                #"{"alg":"RS256"}"#: 200,
                #"{"alg":"RS256","kid":"first","typ":"logout+jwt"}"#: 401,
                #"{"alg":"RS256","kid":"first","typ":1}"#: 401,
                #"{"alg":"RS256","kid":"first","crit":["b64"],"b64":false}"#: 401,
                #"{"alg":"RS256","kid":"first","crit":[]}"#: 401,
                #"{"alg":"HS256","alg":"RS256","kid":"first"}"#: 401,
                #"{"alg":["RS256"],"kid":"first"}"#: 401, #"{"alg":"RS256","kid":1}"#: 401,
                #"{"alg":"RS256","kid":"\#(String(repeating: "x", count: 300))"}"#: 401,
                #"{"kid":"first"}"#: 401, "[]": 401, "": 401, "{": 401,
                String(repeating: "[", count: 4000): 401,
            ]
            for (header, status) in headers {
                let answer = try await get(server, realm.signer.token(header, payload))
                #expect(answer.status == status, "\(header.prefix(80))")
            }
            let good = try realm.token()
            for token in [
                "\(good).", "\(good).x", "x.\(good)", "..", ".", "a.b.c", good.replacing(".", with: " "), "\(good)=",
                good.replacing(".", with: "+."), "\(good.dropLast(1))", String(repeating: ".", count: 3000),
            ] {
                #expect(try await get(server, token).status == 401, "\(token.prefix(40))")
            }
            let large = try realm.token(["x": .string(String(repeating: "x", count: 12_300))])
            try await expectRefused(server, large, "at most 16384 bytes", "a large one")
            for payload in [String(repeating: "[", count: 3000), "[]", "1", #"{"exp":1e400}"#, #"{"iss":1,"iss":2}"#] {
                let header = #"{"alg":"RS256","kid":"first"}"#
                try await expectRefused(server, realm.signer.token(header, payload), "payload", payload)
            }
            let query = try await server.send("GET", "/v1/galleries?access_token=\(good)", key: good)
            #expect(query.status == 400 && query.problem == "key-in-address")
            #expect(try await get(server, good).status == 200)
        }
    }

    @Test(
        "tokens of an independent implementation are good by each algorithm, and not once a bit of them is another",
        arguments: SignatureAlgorithm.allCases)
    func golden(_ algorithm: SignatureAlgorithm) async throws {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/Tokens")
        let keys = try String(contentsOf: folder.appending(path: "keys.json"), encoding: .utf8)
        let tokens = try JSONParser.parse(Data(contentsOf: folder.appending(path: "tokens.json")))
        let token = try #require(tokens[algorithm.rawValue]?.string)
        let realm = try await Realm()
        realm.provider.change { _ in Provider.answer(keys) }
        try await realm.run { server in
            let good = try await get(server, token)
            #expect(good.status == 200)
            var parts = token.split(separator: ".").map(String.init)
            for part in [1, 2] {
                let kept = parts[part]
                let first = kept.first == "B" ? "C" : "B"
                parts[part] = first + kept.dropFirst()
                #expect(try await get(server, parts.joined(separator: ".")).status == 401, "part \(part)")
                parts[part] = kept
            }
        }
    }
}
