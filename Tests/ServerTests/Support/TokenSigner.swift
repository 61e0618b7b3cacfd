import Crypto
import CryptoExtras
import Documents
import Foundation
import Server

/// Signs tokens as a provider does, and as one who would like to be it.
struct TokenSigner: Sendable {
    enum Key: Sendable {
        case rsa(_RSA.Signing.PrivateKey)
        case p256(P256.Signing.PrivateKey)
        /// Whoever verifies could sign with it too.
        case secret(Data)
        case none
    }

    let id: String
    var algorithm: String
    let key: Key

    static func rsa(_ id: String, _ algorithm: String = "RS256") throws -> TokenSigner {
        TokenSigner(id: id, algorithm: algorithm, key: .rsa(try _RSA.Signing.PrivateKey(keySize: .bits2048)))
    }

    static func p256(_ id: String) -> TokenSigner {
        TokenSigner(id: id, algorithm: "ES256", key: .p256(P256.Signing.PrivateKey()))
    }

    /// The members of its public key, as a set has them.
    func publicKey(_ more: [String: JSONValue] = [:]) throws -> JSONValue {
        var members: [String: JSONValue]
        switch key {
        case .rsa(let key):
            let numbers = try key.publicKey.getKeyPrimitives()
            members = [
                "kty": "RSA", "n": Self.base64URL(numbers.modulus), "e": Self.base64URL(numbers.publicExponent),
            ].mapValues(JSONValue.string)
        case .p256(let key):
            let point = key.publicKey.rawRepresentation
            members = [
                "kty": "EC", "crv": "P-256", "x": Self.base64URL(point.prefix(32)),
                "y": Self.base64URL(point.suffix(32)),
            ].mapValues(JSONValue.string)
        case .secret(let secret): members = ["kty": .string("oct"), "k": .string(Self.base64URL(secret))]
        case .none: members = [:]
        }
        members["kid"] = .string(id)
        return .object(members.merging(more) { $1 })
    }

    /// A token of claims. `header` comes over its `alg`, `kid` and `typ`; null takes one away.
    func token(_ claims: [String: JSONValue], header: [String: JSONValue] = [:]) throws -> String {
        let usual: [String: JSONValue] = ["alg": .string(algorithm), "kid": .string(id), "typ": .string("JWT")]
        let whole = usual.merging(header) { $1 }.filter { $0.value != .null }
        return try token(JSONValue.object(whole).canonicalText(), JSONValue.object(claims).canonicalText())
    }

    /// A token of whatever a header and a payload are.
    func token(_ header: String, _ payload: String) throws -> String {
        let signed = [header, payload].map { Self.base64URL(Data($0.utf8)) }.joined(separator: ".")
        return "\(signed).\(Self.base64URL(try signature(Data(signed.utf8))))"
    }

    private func signature(_ data: Data) throws -> Data {
        switch key {
        case .rsa(let key):
            let padding: _RSA.Signing.Padding = algorithm.hasPrefix("PS") ? .PSS : .insecurePKCS1v1_5
            switch algorithm.suffix(3) {
            case "384": return try key.signature(for: SHA384.hash(data: data), padding: padding).rawRepresentation
            case "512": return try key.signature(for: SHA512.hash(data: data), padding: padding).rawRepresentation
            default: return try key.signature(for: SHA256.hash(data: data), padding: padding).rawRepresentation
            }
        case .p256(let key): return try key.signature(for: data).rawRepresentation
        case .secret(let secret):
            return Data(HMAC<SHA256>.authenticationCode(for: data, using: SymmetricKey(data: secret)))
        case .none: return Data()
        }
    }

    static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

/// A provider with keys, and a server's configuration that trusts it.
struct Realm: Sendable {
    let provider: Provider
    let signer: TokenSigner

    /// With one key, an RSA one.
    init(certificate: String? = nil) async throws {
        let signer = try TokenSigner.rsa("first")
        self.signer = signer
        let keys = try Self.set([signer.publicKey()])
        provider = try await Provider(certificate: certificate) { _ in Provider.answer(keys) }
    }

    /// As the document has it.
    static func set(_ keys: [JSONValue]) throws -> String {
        try JSONValue.object(["keys": .array(keys)]).canonicalText()
    }

    /// Signs with other keys from now on.
    func publish(_ keys: [JSONValue]) throws {
        let set = try Self.set(keys)
        provider.change { _ in Provider.answer(set) }
    }

    /// Without a pause between two calls of the provider, and for all galleries.
    var configuration: ServerConfiguration.OpenID {
        var configuration = ServerConfiguration.OpenID(
            issuer: "https://id.example.org", audience: "triptych", algorithms: SignatureAlgorithm.allCases,
            roles: .init(
                claim: ["realm_access", "roles"],
                values: [.read: ["reader", "guard"], .enrol: ["gate"], .admin: ["operator"]]))
        configuration.keysURL = "\(provider.url)/keys"
        configuration.galleries.standard = .all
        (configuration.allowsPrivate, configuration.allowsHTTP) = (true, true)
        (configuration.retrySeconds, configuration.leewaySeconds) = (0, 30)
        return configuration
    }

    /// What a good token says; `more` comes over it, and null takes away.
    static func claims(_ more: [String: JSONValue] = [:], role: String = "reader") -> [String: JSONValue] {
        let now = Int(Date().timeIntervalSince1970)
        let usual: [String: JSONValue] = [
            "iss": .string("https://id.example.org"), "aud": .string("triptych"), "sub": .string("camera-7"),
            "iat": .integer(now), "exp": .integer(now + 300),
            "realm_access": .object(["roles": .array([.string(role), .string("offline_access")])]),
        ]
        return usual.merging(more) { $1 }.filter { $0.value != .null }
    }

    /// A token of the provider's.
    func token(_ more: [String: JSONValue] = [:], role: String = "reader") throws -> String {
        try signer.token(Self.claims(more, role: role))
    }

    /// Runs a server that trusts it.
    func run(
        _ configure: (inout ServerConfiguration.OpenID) -> Void = { _ in },
        server: (inout ServerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        var openID = configuration
        configure(&openID)
        let given = openID
        try await TestServer.run(
            {
                $0.openID = given
                server(&$0)
            }, body)
    }
}
