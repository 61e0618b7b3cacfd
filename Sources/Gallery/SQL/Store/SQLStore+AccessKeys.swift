import Foundation

extension SQLStore {
    func save(_ key: AccessKey) async throws {
        try await write { db in
            try AccessKeyRows.insert(key, db)
            db.tell(.accessKeys)
        }
    }

    func accessKeys() async throws -> [AccessKey] { try await read { try AccessKeyRows.all($0) } }

    func revokeAccessKey(_ id: String, at time: Date) async throws -> AccessKey {
        try await write { db in
            db.tell(.accessKeys)
            return try AccessKeyRows.revoke(id, at: time, db)
        }
    }
}

/// The table of keys.
enum AccessKeyRows {
    static func insert(_ key: AccessKey, _ db: any SQLSession) throws {
        let row = try db.insert(
            """
            INSERT INTO access_key
                (public_id, name, role, galleries, requests_per_minute, digest, created_at, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                key.id, key.name, key.role.rawValue, try key.galleries.map(json), key.requestsPerMinute, key.digest,
                key.createdAt.milliseconds, key.expiresAt?.milliseconds,
            ])
        try db.audit(.keyCreated, subject: row)
    }

    static func all(_ db: any SQLSession) throws -> [AccessKey] {
        try db.rows("SELECT * FROM access_key ORDER BY id").map(key)
    }

    static func revoke(_ id: String, at time: Date, _ db: any SQLSession) throws -> AccessKey {
        try db.execute(
            "UPDATE access_key SET revoked_at = coalesce(revoked_at, ?) WHERE public_id = ?", [time.milliseconds, id])
        guard let row = try db.first("SELECT * FROM access_key WHERE public_id = ?", [id])
        else { throw GalleryError.notFound(.key, id) }
        try db.audit(.keyRevoked, subject: row["id"])
        return try key(row)
    }

    private static func json(_ galleries: [String]) throws -> String {
        String(decoding: try JSONEncoder().encode(galleries), as: UTF8.self)
    }

    private static func key(_ row: SQLRow) throws -> AccessKey {
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
