import Foundation

/// Something long that a server does, and how far it is.
public struct JobRecord: Sendable, Equatable {
    /// How it stands.
    public enum State: String, Sendable, Codable {
        case running, succeeded, failed, cancelled
    }

    /// Its name.
    public let id: String
    /// What is done.
    public let kind: String
    /// For which model, if it is for one.
    public let model: String?
    /// In which gallery; nil if it concerns the whole server.
    public let gallery: String?
    /// How it stands.
    public var state: State
    /// Steps done.
    public var done: Int
    /// Steps in all; 0 while that is not known.
    public var total: Int
    /// Why it failed.
    public var reason: String?
    /// What came out, a JSON object.
    public var result: String?
    /// When it was asked for.
    public let createdAt: Date
    /// When it was begun last; nil while it waits.
    public var startedAt: Date?
    /// When this was written.
    public var updatedAt: Date

    /// A job that has just been asked for.
    public init(kind: String, model: String? = nil, gallery: String? = nil) {
        let now = Date()
        (id, self.kind, self.model, self.gallery) = (UUID().uuidString.lowercased(), kind, model, gallery)
        (state, done, total, createdAt, updatedAt) = (.running, 0, 0, now, now)
    }

    init(_ row: SQLRow) {
        (id, kind, model, gallery) = (row["uuid"], row["kind"], row["model"], row["gallery"])
        state = State(rawValue: row["state"]) ?? .failed
        (done, total, reason, result) = (row["done"], row["total"], row["reason"], row["result"])
        let startedAt: Int64? = row["started_at"]
        createdAt = Date(milliseconds: row["created_at"])
        self.startedAt = startedAt.map(Date.init(milliseconds:))
        updatedAt = Date(milliseconds: row["updated_at"])
    }
}
