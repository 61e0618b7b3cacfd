import Crypto
import Foundation

/// A table that a copy takes over. Those that triggers fill are not among them.
struct CopiedTable: Sendable {
    let name: String
    /// By which rows are found, one after the other.
    private let key: [String]
    /// With those of the key.
    private let columns: [String]
    /// Rows that are held in memory.
    private let page: Int

    private init(_ name: String, key: [String] = ["id"], _ columns: [String], page: Int = 1000) {
        (self.name, self.key, self.page) = (name, key, page)
        self.columns = key + columns.filter { !key.contains($0) }
    }

    /// What others refer to comes before them.
    static let all = [
        CopiedTable("gallery", ["name", "label", "metadata", "created_at", "retention_days"]),
        CopiedTable(
            "identity", ["gallery_id", "name", "label", "metadata", "created_at", "updated_at", "watchlist"]),
        CopiedTable("model", ["digest", "dimension", "combination", "modalities"]),
        CopiedTable(
            "sighting",
            [
                "gallery_id", "identity_id", "uuid", "camera", "captured_at", "metadata", "created_at",
                "idempotency_key", "fingerprint", "boxes",
            ]),
        // An image may have 32 MiB.
        CopiedTable("image", key: ["sighting_id", "modality"], ["content_type", "bytes"], page: 8),
        CopiedTable("embedding", ["sighting_id", "model_id", "modalities", "is_fused", "vectors"]),
        CopiedTable("sighting_digest", key: ["sighting_id"], ["digest"]),
        CopiedTable("embedding_digest", key: ["embedding_id"], ["digest"]),
        CopiedTable("match_threshold", key: ["gallery_id", "model", "modalities"], ["threshold", "is_stale"]),
        CopiedTable(
            "correction", ["gallery_id", "uuid", "kind", "identity_id", "made", "created_at", "undone_at"]),
        CopiedTable("correction_sighting", key: ["correction_id", "sighting_id"], ["from_id"]),
        CopiedTable(
            "correction_identity", key: ["correction_id", "identity_id"],
            ["name", "label", "metadata", "created_at", "updated_at", "watchlist"]),
        CopiedTable("distinction", key: ["first_id", "second_id"], ["correction_id", "merge_id", "created_at"]),
        CopiedTable(
            "correction_distinction", key: ["correction_id", "first_id", "second_id"],
            ["said_by", "merge_id", "created_at"]),
        CopiedTable("active_model", key: ["only_row"], ["digest", "activated_at"]),
        CopiedTable("checkpoint", key: ["file"], ["digest", "bytes", "modified_at", "summary"]),
        CopiedTable(
            "job",
            [
                "uuid", "kind", "model", "state", "done", "total", "reason", "result", "created_at", "started_at",
                "updated_at", "gallery",
            ]),
        CopiedTable(
            "access_key",
            [
                "public_id", "name", "role", "galleries", "requests_per_minute", "digest", "created_at", "expires_at",
                "revoked_at",
            ]),
        CopiedTable("event", ["kind", "created_at", "gallery_id", "sighting_id", "score", "detail"]),
        CopiedTable(
            "webhook",
            [
                "uuid", "url", "filter", "created_at", "position", "delivered", "failures", "failing_since", "next_at",
                "is_dead", "last_error",
            ]),
        CopiedTable("audit", ["created_at", "key", "action", "gallery_id", "subject_id", "count", "hour"]),
        CopiedTable("analysis", ["gallery_id", "model_id", "kind", "created_at", "document"]),
        CopiedTable("map_point", ["analysis_id", "sighting_id", "x", "y"]),
        CopiedTable("erased_gallery", key: ["gallery_id"], []),
        CopiedTable("erased_identity", key: ["identity_id"], []),
        CopiedTable("erased_model", key: ["model_id"], []),
        CopiedTable("erased_sighting", key: ["sighting_id"], []),
    ]

    /// Throws `GalleryError.invalid`.
    func requireEmpty(_ db: any SQLSession) throws {
        let hasRows = try db.value(Bool.self, "SELECT EXISTS (SELECT 1 FROM \(name))")
        try Validation.require(hasRows == false, "to", "an empty database", "one with rows in \(name)")
    }

    func count(_ db: any SQLSession) throws -> Int { try db.only("SELECT COUNT(*) FROM \(name)")[0] }

    /// Gives how many rows there were, and their digest.
    func copy(
        _ from: any SQLSession, _ to: any SQLSession, _ progress: (Int) -> Void
    ) throws -> (count: Int, digest: Data) {
        let insert = """
            INSERT INTO \(name) (\(columns.joined(separator: ", "))) VALUES (\(SQLFragment.places(columns.count)))
            """
        var (count, digest) = (0, RowsDigest())
        try forEachPage(from) { rows in
            for row in rows {
                try to.execute(insert, row.values)
                digest.add(row)
            }
            count += rows.count
            progress(count)
        }
        return (count, digest.value)
    }

    func digest(_ db: any SQLSession) throws -> Data {
        var digest = RowsDigest()
        try forEachPage(db) { $0.forEach { digest.add($0) } }
        return digest.value
    }

    private func forEachPage(_ db: any SQLSession, _ body: ([SQLRow]) throws -> Void) throws {
        let select = "SELECT \(columns.joined(separator: ", ")) FROM \(name)"
        let (names, places) = (key.joined(separator: ", "), SQLFragment.places(key.count))
        let order = "ORDER BY \(names) LIMIT \(page)"
        var rows = try db.rows("\(select) \(order)")
        while let last = rows.last {
            try body(rows)
            if rows.count < page { return }
            rows = try db.rows(
                "\(select) WHERE (\(names)) > (\(places)) \(order)", Array(last.values.prefix(key.count)))
        }
    }

    /// The last number of each table that gives numbers, since none may come back; and the last event that was forgotten.
    static func copyNumbers(_ from: any SQLSession, _ to: any SQLSession) throws {
        for table in all where table.key == ["id"] {
            let last = try from.value(Int64.self, from.dialect.lastNumber(of: table.name)) ?? 0
            if last > 0 { for step in to.dialect.setNumber(of: table.name) { _ = try to.rows(step, [last]) } }
        }
        let floor: Int64 = try from.only("SELECT id FROM event_floor")[0]
        try to.execute("UPDATE event_floor SET id = ?", [floor])
    }
}

/// SHA-256 of rows, whatever database has them.
private struct RowsDigest {
    private var hash = SHA256()

    mutating func add(_ row: SQLRow) {
        for value in row.values {
            switch value {
            case .null: add(0, Data())
            case .integer(let number): add(1, withUnsafeBytes(of: number.littleEndian) { Data($0) })
            case .real(let number): add(4, withUnsafeBytes(of: number.bitPattern.littleEndian) { Data($0) })
            case .text(let text): add(2, Data(text.utf8))
            case .blob(let bytes): add(3, bytes)
            }
        }
    }

    private mutating func add(_ kind: UInt8, _ bytes: Data) {
        hash.update(data: Data([kind]))
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: bytes)
    }

    var value: Data { Data(hash.finalize()) }
}
