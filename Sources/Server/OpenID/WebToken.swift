import Documents
import Foundation

/// A JSON Web Token in its compact form (RFC 7519; RFC 7515, section 7.1), taken apart. Nothing in it is verified, and so nothing
/// of its claims is read yet.
///
/// The header is read here rather than by JWTKit, whose reader ends the process at a number that no `Int` holds. Of what could
/// lead to a key (`jku`, `jwk`, `x5u`, `x5c`), nothing is followed.
struct WebToken {
    /// The longest that is looked at: those of providers have one or two thousand bytes.
    static let mostBytes = 16 << 10

    let algorithm: SignatureAlgorithm
    /// Which of the provider's keys it was signed with.
    let keyID: String?
    /// What was signed.
    let signed: Data
    let signature: Data
    private let payload: Data

    /// Throws `AccessError.invalidToken`, `.unauthenticated` for what does not look like one.
    init(_ text: String) throws(AccessError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .invalidToken("expected a key of this server or a signed token") }
        guard text.utf8.count <= Self.mostBytes else {
            throw .invalidToken("expected a token of at most \(Self.mostBytes) bytes, found \(text.utf8.count)")
        }
        guard let header = Data(base64URL: parts[0]), let payload = Data(base64URL: parts[1]),
            let signature = Data(base64URL: parts[2])
        else { throw .invalidToken("expected a token in base64url") }
        (self.payload, self.signature) = (payload, signature)
        signed = Data("\(parts[0]).\(parts[1])".utf8)
        (algorithm, keyID) = try Self.read(Self.parse(header, "header"))
    }

    /// What it says, once its signature is known to be good. Throws `AccessError.invalidToken`.
    func claims() throws(AccessError) -> JSONValue { try Self.parse(payload, "payload") }

    private static func parse(_ data: Data, _ part: String) throws(AccessError) -> JSONValue {
        do {
            let value = try JSONParser.parse(data, limits: JSONLimits(depth: 16, nodes: 4096))
            if value.object != nil { return value }
        } catch {
            throw .invalidToken("the token's \(part): \(error)")
        }
        throw .invalidToken("the token's \(part): expected an object")
    }

    private static func read(_ header: JSONValue) throws(AccessError) -> (SignatureAlgorithm, String?) {
        guard let algorithm = header["alg"]?.string.flatMap(SignatureAlgorithm.init(rawValue:)) else {
            throw .invalidToken("expected a token with a signature that only its issuer can make, found another alg")
        }
        // Extensions that must be understood: none is.
        guard header["crit"] == nil else { throw .invalidToken("expected a token without crit") }
        // Other kinds of tokens that the same keys sign are no access tokens (RFC 8725, section 3.11; RFC 9068).
        if let type = header["typ"] {
            let name = type.string?.lowercased().trimmingPrefix("application/") ?? ""
            guard ["jwt", "at+jwt"].contains(name) else { throw .invalidToken("expected a token of typ JWT or at+jwt") }
        }
        guard let id = header["kid"] else { return (algorithm, nil) }
        guard let name = id.string, name.utf8.count <= ProviderKey.longestID else {
            throw .invalidToken("expected a kid of at most \(ProviderKey.longestID) bytes")
        }
        return (algorithm, name)
    }
}

extension Data {
    /// What is written in base64url without padding (RFC 7515, section 2); nil for anything else.
    init?(base64URL text: some StringProtocol) {
        var bytes = Data(text.utf8)
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "-"): bytes[index] = UInt8(ascii: "+")
            case UInt8(ascii: "_"): bytes[index] = UInt8(ascii: "/")
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: break
            }
        }
        bytes += Data(repeating: UInt8(ascii: "="), count: (4 - bytes.count % 4) % 4)
        self.init(base64Encoded: bytes)
    }
}
