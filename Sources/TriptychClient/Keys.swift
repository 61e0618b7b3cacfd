import Foundation

/// Who may do what.
public struct Key: Codable, Sendable, Equatable {
    /// Its identifier.
    public let id: String
    /// For people to read.
    public let name: String
    /// `read`, `enrol` or `admin`, each of which may do what the ones before it may.
    public let role: String
    /// What it is for; nil for all.
    public let galleries: [String]?
    /// nil for what the server's configuration says.
    public let requestsPerMinute: Int?
    /// When it was made.
    public let createdAt: Date
    /// nil for never.
    public let expiresAt: Date?
    /// nil unless it was revoked.
    public let revokedAt: Date?
}

/// What whoever asks may do.
public struct Access: Codable, Sendable, Equatable {
    /// The key's identifier, or of a token `openid:` and its subject; nil if the server has no keys.
    public let id: String?
    /// For people to read.
    public let name: String
    /// `read`, `enrol` or `admin`.
    public let role: String
    /// Where; nil for all.
    public let galleries: [String]?
    /// By method and path, as `DELETE /v1/galleries/{gallery}`; those of a gallery in `galleries`.
    public let operations: [String]
}

/// A key that is to be made.
public struct NewKey: Encodable, Sendable, Equatable {
    /// For people to read.
    public var name: String
    /// `read`, `enrol` or `admin`.
    public var role: String
    /// What it is for; nil for all.
    public var galleries: [String]?
    /// nil for what the server's configuration says.
    public var requestsPerMinute: Int?
    /// nil for never.
    public var expiresAt: Date?

    /// For all galleries and without an end, but for what is given.
    public init(
        name: String, role: String, galleries: [String]? = nil, requestsPerMinute: Int? = nil, expiresAt: Date? = nil
    ) {
        (self.name, self.role, self.galleries) = (name, role, galleries)
        (self.requestsPerMinute, self.expiresAt) = (requestsPerMinute, expiresAt)
    }
}

/// A key that was made, and its secret, which the server cannot tell again.
public struct MadeKey: Codable, Sendable, Equatable {
    /// What was made.
    public let key: Key
    /// What a client is given as its key.
    public let token: String
}

/// Who did what, when.
public struct AuditRecord: Codable, Sendable, Equatable {
    /// When; of what is counted by the hour, the first time.
    public let at: Date
    /// The key's identifier; nil for the server itself, and while there are no keys.
    public let key: String?
    /// `identity-erased`, `GET /v1/galleries/{gallery}`, …
    public let action: String
    /// Its name, if it still is there.
    public let gallery: String?
    /// Its row.
    public let galleryID: Int?
    /// The row of the identity, sighting, correction or key: what was erased is not named.
    public let subject: Int?
    /// Of how many.
    public let count: Int

    private enum CodingKeys: String, CodingKey {
        case at, key, action, gallery, subject, count
        case galleryID = "galleryId"
    }
}

extension Client {
    /// Who this client is to the server, and what it may do.
    public func access() async throws -> Access { try await transport.ask(.get(path("access"))) }

    /// All keys that were made, in order, without their secrets.
    public func keys() async throws -> [Key] {
        let found: Items<Key> = try await transport.ask(.get(path("keys")))
        return found.items
    }

    /// A key by its identifier.
    public func key(_ id: String) async throws -> Key { try await transport.ask(.get(path("keys", id))) }

    /// Makes a key. The first one must be an admin's, and from then on this client needs one too.
    public func createKey(_ key: NewKey) async throws -> MadeKey { try await transport.ask(.post(path("keys"), key)) }

    /// Makes a key useless, at once and for ever.
    @discardableResult
    public func revokeKey(_ id: String) async throws -> Key { try await transport.ask(.delete(path("keys", id))) }

    /// Who has changed, erased and read what, the first or the last of it first; by a key, of an action, in a gallery.
    public func audit(
        by key: String? = nil, action: String? = nil, gallery: String? = nil, lastFirst: Bool = false,
        pageSize: Int = 200
    ) -> Pages<AuditRecord> {
        let request = Request.get(
            path("audit"),
            [("by", key), ("action", action), ("gallery", gallery), ("order", lastFirst ? "desc" : nil)])
        return Pages(transport, request, pageSize: pageSize)
    }
}
