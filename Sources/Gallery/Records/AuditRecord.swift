import Foundation

/// Who does what a task does, for the audit log.
public enum Audit {
    /// The identifier of the key that it is done with; nil for the server itself, or anyone while there are no keys.
    @TaskLocal public static var key: String?
}

/// A line of the audit log: who changed, erased or read what, and how much.
public struct AuditRecord: Encodable, Equatable, Sendable {
    /// When; for what is counted by the hour, the first time.
    public let at: Date
    /// The key's identifier; nil for the server itself, or anyone while there are no keys.
    public let key: String?
    /// Such as `identity-erased`.
    public let action: String
    /// The gallery's name, if it still is there.
    public let gallery: String?
    /// The gallery's row.
    public let galleryID: Int64?
    /// The row of the identity, sighting or correction.
    public let subject: Int64?
    /// Of how many.
    public let count: Int

    private enum CodingKeys: String, CodingKey {
        case at, key, action, gallery, subject, count
        case galleryID = "gallery_id"
    }
}

/// Which lines of the audit log are wanted.
public struct AuditFilter: Sendable {
    /// Those of a key.
    public var key: String?
    /// Those of an action.
    public var action: String?
    /// Those of a gallery that is there.
    public var gallery: String?

    /// All.
    public init() {}
}

/// Reads that are counted together.
public struct AuditedReads: Hashable, Sendable {
    /// The key's identifier.
    public let key: String?
    /// The operation, such as `GET /v1/galleries/{gallery}`.
    public let operation: String
    /// The gallery's name.
    public let gallery: String?

    /// Reads as given.
    public init(key: String?, operation: String, gallery: String?) {
        (self.key, self.operation, self.gallery) = (key, operation, gallery)
    }
}
