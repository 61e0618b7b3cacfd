import Foundation

/// The two halves of an erasure: a mark that hides at once what is erased, however much it is, and deletion in pieces.
/// The marks are in the database, so an erasure that was cut off goes on.
enum Erasure {
    enum Subject: String {
        case gallery, identity, model
    }

    /// Hides a row and all that hangs on it, and frees its name for another.
    static func mark(_ subject: Subject, _ id: Int64, _ db: any SQLSession) throws {
        let table = subject.rawValue
        try db.execute("INSERT INTO erased_\(table) VALUES (?)", [id])
        try db.execute(
            "UPDATE \(table) SET \(subject == .model ? "digest" : "name") = ? WHERE id = ?", [UUID().uuidString, id])
    }

    /// Hides sightings.
    static func mark(sightings: [Int64], _ db: any SQLSession) throws {
        for sighting in sightings { try db.execute("INSERT INTO erased_sighting VALUES (?)", [sighting]) }
    }

    /// Whether nothing is marked any more.
    static func isComplete(_ db: any SQLSession) throws -> Bool {
        try ["gallery", "identity", "model", "sighting"].allSatisfy { subject in
            try db.value(Bool.self, "SELECT EXISTS (SELECT 1 FROM erased_\(subject))") == false
        }
    }

    /// Deletes about so many bytes of what is marked, but at least one row. False if nothing was left.
    static func deletePiece(_ db: any SQLSession, bytes: Int) throws -> Bool {
        var budget = bytes
        repeat {
            guard let spent = try deleteNext(db, budget: budget) else { return false }
            budget -= spent
        } while budget > 0
        return true
    }

    /// What a row takes besides its blobs, about.
    private static let rowBytes = 256

    /// Deletes something and says how many bytes it was, about; nil if nothing is marked.
    private static func deleteNext(_ db: any SQLSession, budget: Int) throws -> Int? {
        let sighting = try db.value(Int64.self, "SELECT sighting_id FROM erased_sighting LIMIT 1")
        if let sighting { return try deleteSighting(db, "id = ?", sighting) }
        if let identity = try marked(.identity, db) {
            return try deleteSighting(
                db, "gallery_id = (SELECT gallery_id FROM identity WHERE id = ?1) AND identity_id = ?1", identity)
                ?? delete(.identity, identity, db)
        }
        if let gallery = try marked(.gallery, db) {
            return try deleteSighting(db, "gallery_id = ?", gallery)
                ?? db.value(Int64.self, "SELECT id FROM identity WHERE gallery_id = ? LIMIT 1", [gallery])
                .map { try delete(.identity, $0, db) }
                ?? delete(.gallery, gallery, db)
        }
        if let model = try marked(.model, db) {
            return try deleteVectors(of: model, db, budget: budget) ?? deletePoints(of: model, db, budget: budget)
                ?? delete(.model, model, db)
        }
        return nil
    }

    private static func marked(_ subject: Subject, _ db: any SQLSession) throws -> Int64? {
        try db.value(Int64.self, "SELECT \(subject.rawValue)_id FROM erased_\(subject.rawValue) LIMIT 1")
    }

    /// Of a row on which nothing hangs any more.
    private static func delete(_ subject: Subject, _ id: Int64, _ db: any SQLSession) throws -> Int {
        try db.execute("DELETE FROM \(subject.rawValue) WHERE id = ?", [id])
        return rowBytes
    }

    /// Deletes the next image of a sighting, or the sighting if it has none left; nil if there is no sighting.
    private static func deleteSighting(_ db: any SQLSession, _ condition: String, _ owner: Int64) throws -> Int? {
        let sighting = try db.value(Int64.self, "SELECT id FROM sighting WHERE \(condition) LIMIT 1", [owner])
        guard let sighting else { return nil }
        let image = try db.first("SELECT modality, length(bytes) FROM image WHERE sighting_id = ? LIMIT 1", [sighting])
        if let image {
            let modality: String = image[0]
            try db.execute("DELETE FROM image WHERE sighting_id = ? AND modality = ?", [sighting, modality])
            return image[1] + rowBytes
        }
        let size = try db.only(
            """
            SELECT length(metadata) + (SELECT COALESCE(SUM(length(vectors)), 0) FROM embedding WHERE sighting_id = s.id)
            FROM sighting s WHERE id = ?
            """, [sighting])
        try db.execute("DELETE FROM sighting WHERE id = ?", [sighting])
        return size[0] + rowBytes
    }

    private static func deleteVectors(of model: Int64, _ db: any SQLSession, budget: Int) throws -> Int? {
        let dimension: Int = try db.only("SELECT dimension FROM model WHERE id = ?", [model])[0]
        let size = 4 * dimension + rowBytes
        let count = try db.execute(
            "DELETE FROM embedding WHERE id IN (SELECT id FROM embedding WHERE model_id = ? LIMIT ?)",
            [model, max(1, budget / size)])
        return count == 0 ? nil : count * size
    }

    /// Of its maps; those of other subjects go with their sightings.
    private static func deletePoints(of model: Int64, _ db: any SQLSession, budget: Int) throws -> Int? {
        let count = try db.execute(
            """
            DELETE FROM map_point WHERE id IN (
                SELECT p.id FROM analysis a JOIN map_point p ON p.analysis_id = a.id WHERE a.model_id = ? LIMIT ?)
            """, [model, max(1, budget / rowBytes)])
        return count == 0 ? nil : count * rowBytes
    }
}
