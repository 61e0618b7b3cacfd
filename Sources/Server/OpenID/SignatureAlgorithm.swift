import Documents

/// How a token may be signed: with a key of its issuer's that nobody else has (RFC 7518, section 3.1, and RFC 8037). `none`, and
/// the symmetric `HS…`, whose key whoever verifies could sign with too, are not among them.
public enum SignatureAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"

    /// The type of the keys that it takes (`kty`), and their curve (`crv`).
    var key: (type: String, curve: String?) {
        switch self {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: ("RSA", nil)
        case .es256: ("EC", "P-256")
        case .es384: ("EC", "P-384")
        case .es512: ("EC", "P-521")
        case .edDSA: ("OKP", "Ed25519")
        }
    }
}

extension SignatureAlgorithm {
    /// A list of them. Throws `DocumentError` for another, an empty list, and none.
    static func read(_ key: String, _ fields: inout Fields) throws -> [SignatureAlgorithm] {
        let names = try fields.require(key, .strings)
        let known = names.compactMap(SignatureAlgorithm.init(rawValue:))
        guard !known.isEmpty, known.count == names.count else {
            let all = allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.invalid(key, "asymmetric algorithms, some of \(all)", names.documentValue)
        }
        return known
    }
}
