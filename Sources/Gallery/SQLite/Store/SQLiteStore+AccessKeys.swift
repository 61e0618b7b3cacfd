import Foundation
import GRDB

extension SQLiteStore {
    func save(_ key: AccessKey) async throws { try await write { try AccessKeyRows.insert(key, $0) } }

    func accessKeys() async throws -> [AccessKey] { try await read { try AccessKeyRows.all($0) } }

    func revokeAccessKey(_ id: String, at time: Date) async throws -> AccessKey {
        try await write { try AccessKeyRows.revoke(id, at: time, $0) }
    }
}

/// The keys of a database that no server has open: how the first one is made, and the way back in when none is left.
public struct AccessKeyFile {
    private let connection: GalleryConnection

    /// Opens the database at a path, makes it if there is none, and brings its schema up to date; loads no vectors.
    ///
    /// Throws `GalleryError`, `.inUse` if a server has it open.
    public init(path: String) throws {
        connection = try GalleryError.translating {
            try GalleryConnection(path: path, configuration: GalleryConfiguration())
        }
    }

    /// Makes a key. Its token is told this once. Throws `GalleryError`.
    public func create(_ key: NewAccessKey) throws -> (key: AccessKey, token: AccessToken) {
        let made = try key.issue()
        try write { try AccessKeyRows.insert(made.key, $0) }
        return made
    }

    /// Every key that was made, in order. Throws `GalleryError`.
    public func all() throws -> [AccessKey] {
        try GalleryError.translating { try connection.pool.read { try AccessKeyRows.all($0) } }
    }

    /// Makes a key useless for ever. Throws `GalleryError.notFound`.
    public func revoke(_ id: String) throws -> AccessKey { try write { try AccessKeyRows.revoke(id, at: Date(), $0) } }

    /// Closes the database.
    public func close() throws {
        try GalleryError.translating {
            try connection.pool.close()
            try connection.log.close()
        }
        connection.ownership.release()
    }

    private func write<T>(_ body: (Database) throws -> T) throws -> T {
        try GalleryError.translating {
            try connection.pool.write { db in
                try connection.commits.count(db)
                return try body(db)
            }
        }
    }
}

/// The table of keys.
private enum AccessKeyRows {
    static func insert(_ key: AccessKey, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO access_key
                    (public_id, name, role, galleries, requests_per_minute, digest, created_at, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                key.id, key.name, key.role.rawValue, try key.galleries.map(json), key.requestsPerMinute, key.digest,
                key.createdAt.milliseconds, key.expiresAt?.milliseconds,
            ])
        try db.audit(.keyCreated, subject: db.lastInsertedRowID)
    }

    static func all(_ db: Database) throws -> [AccessKey] {
        try Row.fetchAll(db, sql: "SELECT * FROM access_key ORDER BY id").map(key)
    }

    static func revoke(_ id: String, at time: Date, _ db: Database) throws -> AccessKey {
        try db.execute(
            sql: "UPDATE access_key SET revoked_at = coalesce(revoked_at, ?) WHERE public_id = ?",
            arguments: [time.milliseconds, id])
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM access_key WHERE public_id = ?", arguments: [id])
        else { throw GalleryError.notFound(.key, id) }
        try db.audit(.keyRevoked, subject: row["id"])
        return try key(row)
    }

    private static func json(_ galleries: [String]) throws -> String {
        String(decoding: try JSONEncoder().encode(galleries), as: UTF8.self)
    }

    private static func key(_ row: Row) throws -> AccessKey {
        let (galleries, role): (String?, String) = (row["galleries"], row["role"])
        guard let role = AccessRole(rawValue: role) else { throw GalleryError.storage("a key with the role \(role)") }
        let date = { (name: String) in (row[name] as Int64?).map(Date.init(milliseconds:)) }
        return AccessKey(
            id: row["public_id"], name: row["name"], role: role,
            galleries: try galleries.map { try JSONDecoder().decode([String].self, from: Data($0.utf8)) },
            requestsPerMinute: row["requests_per_minute"], createdAt: Date(milliseconds: row["created_at"]),
            expiresAt: date("expires_at"), revokedAt: date("revoked_at"), digest: row["digest"])
    }
}
