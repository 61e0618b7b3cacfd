import Crypto
import Foundation

/// What a key may do: each role may do what the ones before it may.
public enum AccessRole: String, Codable, CaseIterable, Comparable, Sendable {
    /// Ask and look.
    case read
    /// Enrol and correct, nothing that cannot be undone.
    case enrol
    /// Everything, erasing among it.
    case admin

    /// By what they may do.
    public static func < (a: AccessRole, b: AccessRole) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .read: 0
        case .enrol: 1
        case .admin: 2
        }
    }
}

/// A key that a client proves who it is with, as it is kept: its secret is not, only that secret's digest.
public struct AccessKey: Equatable, Sendable {
    /// 12 hexadecimal digits: public, in logs and lists.
    public let id: String
    /// For people to read.
    public let name: String
    /// What it may do.
    public let role: AccessRole
    /// Where it may do that; nil for everywhere.
    public let galleries: [String]?
    /// Requests that it may send a minute; nil for what the server's configuration says.
    public let requestsPerMinute: Int?
    /// When it was made.
    public let createdAt: Date
    /// From when on it is of no use; nil for never.
    public let expiresAt: Date?
    /// When it was revoked.
    public var revokedAt: Date?
    /// SHA-256 of the secret. No slow hash: nobody guesses 256 random bits.
    let digest: Data

    /// Whether it is of use at a time.
    public func isValid(at time: Date) -> Bool { revokedAt == nil && expiresAt.map { time < $0 } ?? true }

    /// Whether this is its secret. Takes as long for any other.
    public func matches(_ secret: String) -> Bool {
        // A digest's comparison with bytes takes constant time.
        SHA256.hash(data: Data(secret.utf8)) == digest
    }
}

extension AccessKey: Encodable {
    private enum CodingKeys: String, CodingKey {
        case id, name, role, galleries
        case requestsPerMinute = "requests_per_minute"
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case revokedAt = "revoked_at"
    }
}

/// A key to be made.
public struct NewAccessKey: Sendable {
    /// For people to read, 1 to 128 printable characters.
    public var name: String
    /// What it may do.
    public var role: AccessRole
    /// Where, up to 100 galleries, which need not exist; nil for everywhere.
    public var galleries: [String]?
    /// Requests a minute, 1 to 1 000 000; nil for what the server's configuration says.
    public var requestsPerMinute: Int?
    /// From when on it is of no use: after now; nil for never.
    public var expiresAt: Date?

    /// A key that never expires and may do it everywhere.
    public init(name: String, role: AccessRole) { (self.name, self.role) = (name, role) }

    /// Makes it, and the token that proves it, which nobody can read again. Throws `GalleryError.invalid`.
    package func issue(at now: Date = Date()) throws -> (key: AccessKey, token: AccessToken) {
        try Validation.text(name, "name", limit: 128)
        try galleries.map { galleries in
            try Validation.require(
                (1...100).contains(galleries.count), "galleries", "1 to 100 names", "\(galleries.count)")
            for gallery in galleries { try Validation.gallery(gallery) }
        }
        try requestsPerMinute.map {
            try Validation.require(
                (1...1_000_000).contains($0), "requests_per_minute", "1 to 1000000 requests", "\($0)")
        }
        try expiresAt.map { try Validation.require($0 > now, "expires_at", "a time to come", "\($0)") }
        try Validation.date(expiresAt, "expires_at")
        let token = AccessToken.random()
        // As they are kept.
        let kept = { (date: Date) in Date(milliseconds: date.milliseconds) }
        return (
            AccessKey(
                id: token.id, name: name, role: role, galleries: galleries.map { Set($0).sorted() },
                requestsPerMinute: requestsPerMinute, createdAt: kept(now), expiresAt: expiresAt.map(kept),
                revokedAt: nil,
                digest: Data(SHA256.hash(data: Data(token.secret.utf8)))), token
        )
    }
}

/// What a client sends to prove a key: `triptych_ID_SECRET`, recognisable to those who look for leaked secrets.
public struct AccessToken: Equatable, Sendable {
    /// The key's.
    public let id: String
    /// 64 hexadecimal digits.
    public let secret: String

    /// As it is sent.
    public var text: String { "triptych_\(id)_\(secret)" }

    /// nil unless it is written as one.
    public init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "triptych", parts[1].utf8.count == 12, parts[2].utf8.count == 64 else {
            return nil
        }
        (id, secret) = (String(parts[1]), String(parts[2]))
    }

    private init(id: String, secret: String) { (self.id, self.secret) = (id, secret) }

    /// Of the system's generator, which is made for secrets.
    static func random() -> AccessToken {
        var generator = SystemRandomNumberGenerator()
        func digits(_ bytes: Int) -> String {
            (0..<bytes).map { _ in String(format: "%02x", UInt8.random(in: 0...255, using: &generator)) }.joined()
        }
        return AccessToken(id: digits(6), secret: digits(32))
    }
}
