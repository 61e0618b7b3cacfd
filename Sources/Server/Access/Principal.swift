import Foundation
import Gallery

/// Who sends a request, and what they may do.
struct Principal: Equatable, Sendable {
    /// Whoever can connect, as long as no key was ever made.
    static let anyone = Principal(
        id: nil, name: "anyone", role: .admin, galleries: nil, requestsPerMinute: nil, expiresAt: nil)

    /// The key's, or `openid:` and the token's subject; nil for anyone.
    let id: String?
    /// For logs.
    let name: String
    let role: AccessRole
    /// Where it may do that; nil for everywhere.
    let galleries: [String]?
    /// nil for what the configuration says.
    let requestsPerMinute: Int?
    /// When a token is over; nil for a key, which can be revoked.
    let expiresAt: Date?

    /// Whether it may know of what belongs to a gallery, or, for nil, to the whole server.
    func sees(_ gallery: String?) -> Bool { galleries.map { $0.contains { $0 == gallery } } ?? true }

    /// Throws `AccessError.role` or `.gallery`.
    func require(_ permission: Permission, gallery: String?) throws(AccessError) {
        guard role >= permission.role else { throw .role(expected: permission.role, found: role) }
        switch permission.scope {
        case .any: break
        case .gallery, .server: guard sees(gallery) else { throw .gallery(gallery, allowed: galleries ?? []) }
        }
    }
}

extension Principal {
    init(_ key: AccessKey) {
        self.init(
            id: key.id, name: key.name, role: key.role, galleries: key.galleries,
            requestsPerMinute: key.requestsPerMinute, expiresAt: nil)
    }
}

/// What it takes to do an operation.
struct Permission: Equatable, Sendable {
    /// Where a key must be good for.
    enum Scope: Sendable {
        /// The gallery that the path names.
        case gallery
        /// Wherever: the operation touches no gallery, or only those that the key is good for.
        case any
        /// All galleries.
        case server
    }

    let role: AccessRole
    let scope: Scope
}

/// Why a request may not be sent.
enum AccessError: Error, Equatable, CustomStringConvertible {
    /// Neither a key nor a token.
    case unauthenticated(String)
    /// One that is not good; says why, if whoever sent it has proven to have had it.
    case invalidToken(String)
    /// A token of an issuer whose keys are not known, as it does not answer.
    case providerUnavailable(secondsLeft: Int)
    /// A token whose claim, by the names that lead to it, gives nothing here.
    case claim(Claim, [String])
    case role(expected: AccessRole, found: AccessRole)
    /// For a gallery, or for nil the whole server.
    case gallery(String?, allowed: [String])
    /// A key in an address.
    case keyInAddress(parameter: String)
    /// A host that is not this server's, which is how a page reaches a server that its reader alone can reach.
    case host(String)
    /// Sent by a page of another site.
    case origin(String)
    /// More requests than a key may send.
    case tooManyRequests(perMinute: Int, secondsLeft: Int)

    /// What a claim may give.
    enum Claim: String {
        case roles, galleries
    }

    var description: String {
        switch self {
        case .unauthenticated(let reason), .invalidToken(let reason): reason
        case .providerUnavailable: "the token's issuer does not say which keys it has"
        case .claim(let claim, let path):
            "expected \(claim.rawValue) of this server in the token's claim \(path.joined(separator: ".")), found none"
        case .role(let expected, let found):
            "expected a key with the role \(expected.rawValue), found \(found.rawValue)"
        case .gallery(nil, let allowed):
            "expected a key for all galleries, found one for \(allowed.joined(separator: ", "))"
        case .gallery(.some(let gallery), let allowed):
            "expected a key for the gallery '\(gallery)', found one for \(allowed.joined(separator: ", "))"
        case .keyInAddress(let parameter):
            "\(parameter): expected the key in the Authorization header, found one in the address, which logs keep: "
                + "revoke it"
        case .host(let found):
            "host: expected one of this server's names, see hosts in its configuration, found \(found)"
        case .origin(let found): "expected a request from a page of this server, found one from \(found)"
        case .tooManyRequests(let perMinute, _): "expected at most \(perMinute) requests a minute with this key"
        }
    }
}
