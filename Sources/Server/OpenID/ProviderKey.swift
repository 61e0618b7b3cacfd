import Documents
import Foundation
import JWTKit

/// A public key that a provider signs tokens with, as its set has it (RFC 7517).
struct ProviderKey: Sendable {
    /// Bytes of its identifier.
    static let longestID = 256
    /// Bits of RSA keys: fewer can be broken, more cost every request (RFC 7518, section 3.3).
    private static let bits = 2048...8192

    /// nil if it has none.
    let id: String?
    /// By how the token is signed: what this key is for, and no more.
    private let verifiers: [SignatureAlgorithm: any JWTAlgorithm]

    /// Of a member of a key set. Throws `DocumentError`, or what JWTKit does, for what signs no tokens or is not safe.
    init(_ given: Fields) async throws {
        var fields = given
        let type = try fields.require("kty", .string)
        let curve = try fields.string("crv")
        id = try fields.string("kid")
        let fitting = try SignatureAlgorithm.allCases.filter { algorithm in
            try algorithm.key == (type, curve) && fields.string("alg").map { $0 == algorithm.rawValue } ?? true
        }
        let isForSignatures =
            try fields.string("use") ?? "sig" == "sig" && fields.strings("key_ops")?.contains("verify") ?? true
        guard isForSignatures, !fitting.isEmpty, id?.utf8.count ?? 0 <= Self.longestID else {
            throw fields.invalid("kty", "a public key that verifies signatures", .string(type))
        }
        var verifiers: [SignatureAlgorithm: any JWTAlgorithm] = [:]
        for algorithm in fitting { verifiers[algorithm] = try await Self.verifier(algorithm, &fields) }
        self.verifiers = verifiers
    }

    /// Whether it can be what signed a token.
    func fits(_ token: WebToken) -> Bool {
        verifiers[token.algorithm] != nil && (token.keyID == nil || token.keyID == id)
    }

    /// Whether it has signed a token.
    func verifies(_ token: WebToken) -> Bool {
        // What is thrown is a signature that is none, such as one of another length.
        (try? verifiers[token.algorithm]?.verify(token.signature, signs: token.signed)) ?? false
    }

    /// From the public members alone, whatever else there is.
    private static func verifier(
        _ algorithm: SignatureAlgorithm, _ fields: inout Fields
    ) async throws -> any JWTAlgorithm {
        let (name, id) = (JWK.Algorithm(rawValue: algorithm.rawValue), JWKIdentifier(string: "key"))
        let key: JWK
        switch algorithm.key.type {
        case "RSA":
            key = .rsa(name, identifier: id, modulus: try modulus(&fields), exponent: try fields.require("e", .string))
        case "EC":
            key = .ecdsa(
                name, identifier: id, x: try fields.require("x", .string), y: try fields.require("y", .string),
                curve: algorithm.key.curve.flatMap(ECDSACurve.init(rawValue:)))
        default:
            key = .octetKeyPair(
                name, identifier: id, x: try fields.require("x", .string), y: nil, curve: .ed25519)
        }
        return try await JWTKeyCollection().add(jwk: key).getKey(for: id)
    }

    private static func modulus(_ fields: inout Fields) throws -> String {
        let text = try fields.require("n", .string)
        guard let bytes = Data(base64URL: text)?.drop(while: { $0 == 0 }), let first = bytes.first,
            bits.contains(bytes.count * 8 - first.leadingZeroBitCount)
        else {
            let expected = "an RSA modulus of \(bits.lowerBound) to \(bits.upperBound) bits in base64url"
            throw fields.invalid("n", expected, .string(text))
        }
        return text
    }
}

/// The keys of a provider.
struct ProviderKeySet: Sendable {
    /// Bytes of the document.
    static let mostBytes = 256 << 10
    private static let mostKeys = 64

    let keys: [ProviderKey]
    /// Why others are not among them.
    let passedOver: [String]

    /// A set's document, of which what is not understood is passed over (RFC 7517, section 5). Throws `DocumentError` for what is
    /// none, or has too many keys or none of use.
    init(_ document: Data) async throws {
        var fields = try Fields(
            JSONParser.parse(document, limits: JSONLimits(depth: 8, nodes: 1 << 14)), unknown: .ignored)
        let members = try fields.requireObjects("keys")
        guard members.count <= Self.mostKeys else {
            throw DocumentError.invalid(
                field: "keys", expected: "at most \(Self.mostKeys) keys", found: "\(members.count)")
        }
        var (keys, passedOver) = ([ProviderKey](), [String]())
        for member in members {
            do { keys.append(try await ProviderKey(member)) } catch { passedOver.append("\(error)".bounded(200)) }
        }
        guard !keys.isEmpty else {
            let reasons = passedOver.isEmpty ? "no key" : passedOver.joined(separator: "; ").bounded(400)
            throw DocumentError.invalid(
                field: "keys", expected: "a public key that verifies signatures", found: reasons)
        }
        (self.keys, self.passedOver) = (keys, passedOver)
    }

    /// Those that can be what signed a token. Without a `kid` it must be clear which.
    func keys(for token: WebToken) -> [ProviderKey] {
        let fitting = keys.filter { $0.fits(token) }
        return token.keyID == nil && fitting.count > 1 ? [] : fitting
    }
}
