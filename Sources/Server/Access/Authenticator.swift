import Foundation
import Gallery
import Logging

/// Who sends a request: whoever has a key of this server or, where one is configured, a token of an OpenID provider.
struct Authenticator: Sendable {
    private let keys: KeyRing
    /// nil without a provider.
    private let tokens: TokenVerifier?

    init(_ keys: KeyRing, _ configuration: ServerConfiguration, _ logger: Logger) {
        self.keys = keys
        tokens = configuration.openID.map { TokenVerifier($0, logger) }
    }

    /// Whether requests take a key or a token.
    var isNeeded: Bool { tokens != nil || keys.isNeeded }

    /// Asks the provider for its keys before the first token comes.
    func prepare() { tokens?.keys.prepare() }

    /// Who has proven to be whom by an `Authorization` header (RFC 6750, section 2.1).
    ///
    /// - Parameter waits: whether the provider may be waited for, if it is not known which keys it has.
    /// - Throws: `AccessError`. Of a key that is no longer good it tells why only to who has its secret.
    func principal(
        _ authorization: String?, waits: Bool = true, at now: Date = Date()
    ) async throws(AccessError) -> Principal {
        guard isNeeded else { return .anyone }
        let expected = "expected a key as \"Authorization: Bearer triptych_…\""
        guard let authorization else { throw .unauthenticated("\(expected), found none") }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw .unauthenticated("\(expected), found something else")
        }
        if let key = AccessToken(String(parts[1])) { return try keys.principal(key, at: now) }
        guard let tokens else { throw .invalidToken("\(expected), found something else") }
        return try await tokens.principal(String(parts[1]), waits: waits, at: now)
    }

    /// Whether someone may still do what they began: their key was not revoked meanwhile, and neither it nor their token has
    /// expired.
    func isValid(_ principal: Principal, at now: Date = Date()) -> Bool {
        if let end = principal.expiresAt { return now < end }
        return principal.id == nil ? !isNeeded : keys.isValid(principal, at: now)
    }
}

/// Judges tokens of an OpenID provider.
struct TokenVerifier: Sendable {
    let keys: ProviderKeys
    private let configuration: ServerConfiguration.OpenID

    init(_ configuration: ServerConfiguration.OpenID, _ logger: Logger) {
        let client = ProviderClient(configuration)
        self.configuration = configuration
        keys = ProviderKeys(configuration, logger) { try await client.keys() }
    }

    /// Whose a token is: first its form, then its signature, and only then what it says.
    func principal(_ text: String, waits: Bool, at now: Date) async throws(AccessError) -> Principal {
        let token = try WebToken(text)
        guard configuration.algorithms.contains(token.algorithm) else {
            let names = configuration.algorithms.map(\.rawValue).joined(separator: ", ")
            throw .invalidToken("expected a token that is signed by \(names), found \(token.algorithm.rawValue)")
        }
        guard try await keys.keys(for: token, waits: waits).contains(where: { $0.verifies(token) }) else {
            throw .invalidToken("expected a signature by the issuer's key, found another")
        }
        return try TokenPolicy(configuration).principal(token.claims(), at: now)
    }
}
