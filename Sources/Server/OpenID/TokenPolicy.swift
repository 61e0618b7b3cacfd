import Documents
import Foundation
import Gallery

/// Judges by a token's claims whether it is for this server and now, who has it, and what they may do. Pure: the signature is verified
/// elsewhere.
struct TokenPolicy: Sendable {
    /// As many as a key may have.
    static let mostGalleries = 100
    /// Characters of `sub` (OpenID Connect Core 1.0, section 2).
    private static let longestSubject = 255

    private let configuration: ServerConfiguration.OpenID

    init(_ configuration: ServerConfiguration.OpenID) { self.configuration = configuration }

    /// Throws `AccessError.invalidToken` for a token that is not for this server, or not now, and `.claim` for one that may do
    /// nothing here.
    func principal(_ claims: JSONValue, at now: Date) throws(AccessError) -> Principal {
        guard claims["iss"]?.string == configuration.issuer else {
            throw .invalidToken("expected a token of \(configuration.issuer)")
        }
        guard (claims["aud"]?.values ?? []).contains(configuration.audience) else {
            throw .invalidToken("expected a token whose aud has \"\(configuration.audience)\"")
        }
        let end = try checkTimes(claims, now)
        // Whoever sends such a token must prove something else too (RFC 7800), which is not looked at here.
        guard claims["cnf"] == nil else { throw .invalidToken("expected a bearer token, found one with cnf") }
        let subject = claims["sub"]?.string ?? ""
        // Printable ASCII, as it stands in logs.
        guard (1...Self.longestSubject).contains(subject.utf8.count),
            subject.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .invalidToken("expected a sub of 1 to \(Self.longestSubject) printable characters") }
        let role = try role(claims)
        return Principal(
            id: "openid:\(subject)", name: subject, role: role, galleries: try galleries(claims),
            requestsPerMinute: nil, expiresAt: end)
    }

    /// Gives when it ends, with the leeway.
    private func checkTimes(_ claims: JSONValue, _ now: Date) throws(AccessError) -> Date {
        let leeway = Double(configuration.leewaySeconds)
        guard let end = claims["exp"]?.number else { throw .invalidToken("expected a token with exp") }
        guard now.timeIntervalSince1970 < end + leeway else { throw .invalidToken("the token has expired") }
        for name in ["nbf", "iat"] {
            guard let value = claims[name] else { continue }
            guard let start = value.number, start <= now.timeIntervalSince1970 + leeway else {
                throw .invalidToken("the token is not valid yet: \(name)")
            }
        }
        return Date(timeIntervalSince1970: end + leeway)
    }

    private func role(_ claims: JSONValue) throws(AccessError) -> AccessRole {
        let found = Set(claims.values(at: configuration.roles.claim) ?? [])
        let roles = configuration.roles.values.filter { !found.isDisjoint(with: $0.value) }.keys
        guard let role = roles.max() else { throw .claim(.roles, configuration.roles.claim) }
        return role
    }

    /// nil for everywhere.
    private func galleries(_ claims: JSONValue) throws(AccessError) -> [String]? {
        let (rules, claim) = (configuration.galleries, configuration.galleries.claim ?? [])
        guard let values = claims.values(at: claim) else {
            if rules.standard == .all { return nil }
            throw .claim(.galleries, claim)
        }
        let found = Set(values)
        if !found.isDisjoint(with: rules.all) { return nil }
        let names =
            rules.map.isEmpty
            ? found : Set(rules.map.filter { found.contains($0.value) }.flatMap(\.galleries))
        guard !names.isEmpty else { throw .claim(.galleries, claim) }
        guard names.count <= Self.mostGalleries else {
            throw .invalidToken("expected at most \(Self.mostGalleries) galleries, found \(names.count)")
        }
        return names.sorted()
    }
}

extension JSONValue {
    /// A text, or the texts of a list.
    fileprivate var values: [String] { string.map { [$0] } ?? array?.compactMap(\.string) ?? [] }

    /// Those of the claim that names lead to; nil if it is not there. A `scope` is a list with spaces (RFC 8693, section 4.2), and so
    /// is Entra's `scp`.
    fileprivate func values(at path: [String]) -> [String]? {
        var value: JSONValue? = path.isEmpty ? nil : self
        for name in path { value = value?[name] }
        guard let value else { return nil }
        if path == ["scope"] || path == ["scp"], let text = value.string {
            return text.split(separator: " ").map(String.init)
        }
        return value.values
    }
}
