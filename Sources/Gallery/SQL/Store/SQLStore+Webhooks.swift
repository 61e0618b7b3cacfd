import Foundation

extension SQLStore {
    func create(_ webhook: Webhook) async throws {
        try await write { db in
            let count: Int = try db.only("SELECT COUNT(*) FROM webhook")[0]
            try Validation.require(count < Webhook.most, "webhooks", "at most \(Webhook.most)", "another")
            let row = try db.insert(
                "INSERT INTO webhook (uuid, url, filter, created_at, position) VALUES (?, ?, ?, ?, ?)",
                [
                    webhook.id, webhook.url, String(decoding: try JSONEncoder().encode(webhook.filter), as: UTF8.self),
                    webhook.createdAt.milliseconds, webhook.position,
                ])
            try db.audit(.webhookCreated, subject: row)
            db.tell(.webhooks)
        }
    }

    func webhooks() async throws -> [Webhook] {
        try await read { db in try db.rows("SELECT * FROM webhook ORDER BY id").map(Webhook.init) }
    }

    func webhook(_ id: String) async throws -> Webhook {
        try await read { db in
            guard let row = try db.first("SELECT * FROM webhook WHERE uuid = ?", [id]) else {
                throw GalleryError.notFound(.webhook, id)
            }
            return try Webhook(row)
        }
    }

    func save(_ webhook: Webhook) async throws {
        try await write { db in
            db.tell(.webhooks)
            try db.execute(
                """
                UPDATE webhook SET position = ?, delivered = ?, failures = ?, failing_since = ?, next_at = ?, is_dead = ?,
                    last_error = ?
                WHERE uuid = ?
                """,
                [
                    webhook.position, webhook.delivered, webhook.failures, webhook.failingSince?.milliseconds,
                    webhook.nextAt?.milliseconds, webhook.isDead, webhook.lastError, webhook.id,
                ])
        }
    }

    func deleteWebhook(_ id: String) async throws {
        try await write { db in
            let row = try db.value(Int64.self, "SELECT id FROM webhook WHERE uuid = ?", [id])
            guard let row else { throw GalleryError.notFound(.webhook, id) }
            try db.execute("DELETE FROM webhook WHERE id = ?", [row])
            try db.audit(.webhookDeleted, subject: row)
            db.tell(.webhooks)
        }
    }

    func eventCount(after event: Int64) async throws -> Int {
        try await read { db in
            try db.only("SELECT COUNT(*) FROM event WHERE id > ?", [event])[0]
        }
    }
}

extension Webhook {
    fileprivate init(_ row: SQLRow) throws {
        let filter: String = row["filter"]
        let date = { (name: String) in (row[name] as Int64?).map(Date.init(milliseconds:)) }
        self.init(
            id: row["uuid"], url: row["url"],
            filter: try JSONDecoder().decode(EventFilter.self, from: Data(filter.utf8)),
            createdAt: Date(milliseconds: row["created_at"]), position: row["position"], delivered: row["delivered"],
            failures: row["failures"], failingSince: date("failing_since"), nextAt: date("next_at"),
            isDead: row["is_dead"], lastError: row["last_error"])
    }
}
