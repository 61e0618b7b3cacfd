import Foundation
import GRDB
import Threads

/// An examination of a database that no server has open: pages, references, digests, vectors, counts, and the index of
/// metadata; and the repair of what follows from the rest.
public struct GalleryCheck: Sendable {
    /// Something that is wrong.
    public struct Finding: Sendable, Equatable, Codable {
        /// What it is about: `pages`, `references`, `sighting`, `embedding`, `counts`, `fields` or `commits`.
        public let kind: String
        /// What is wrong, and where.
        public let detail: String
        /// What a repair does about it; nil if it can do nothing.
        public let repair: String?
    }

    /// What was looked at and found.
    public struct Report: Sendable, Codable {
        /// Sightings that were looked at, with their images.
        public var sightings = 0
        /// Embeddings that were looked at.
        public var embeddings = 0
        /// Rows without a digest: another program wrote them.
        public var undigested = 0
        /// The first thousand.
        public var findings: [Finding] = []
        /// How many there are.
        public var count = 0

        mutating func add(_ kind: String, _ detail: String, repair: String? = nil) {
            count += 1
            if findings.count < 1000 { findings.append(Finding(kind: kind, detail: detail, repair: repair)) }
        }
    }

    private let connection: GalleryConnection

    /// Takes the database as a server would, so that none has it meanwhile, and brings its schema up to date. Throws as `GalleryStore.open` does, and
    /// `GalleryError.storage` if there is no such file.
    public init(path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { throw GalleryError.storage("\(path): no such file") }
        do {
            connection = try GalleryConnection(path: path, configuration: GalleryConfiguration())
        } catch let error as DatabaseError {
            throw GalleryError(error)
        }
    }

    /// Gives the database back.
    public func close() throws {
        try connection.pool.close()
        try connection.log.close()
        connection.ownership.release()
    }

    /// Looks at everything, changing nothing. O(size of the database).
    ///
    /// - Parameter progress: told how many rows of how many have been looked at.
    public func examine(_ progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> Report {
        do {
            return try connection.pool.read { db in
                var report = Report()
                try pages(db, &report)
                let total =
                    try Row.only(
                        db, "SELECT (SELECT COUNT(*) FROM live_sighting) + (SELECT COUNT(*) FROM embedding)", [])[0]
                    as Int
                let tell = { (report: Report) in progress(report.sightings + report.embeddings, total) }
                try sightings(db, &report, tell)
                try embeddings(db, &report, tell)
                for count in KeptCount.all { try count.examine(db, &report) }
                for fields in KeptFields.all { try fields.examine(db, &report) }
                if connection.commits.lost > 0 {
                    report.add(
                        "commits", "\(connection.commits.lost) transactions that were committed are not in the database"
                    )
                }
                return report
            }
        } catch let error as DatabaseError {
            throw GalleryError(error)
        }
    }

    /// Does what the findings of a report say, in one transaction. Vectors that are taken away can be made again from kept
    /// images.
    public func repair() throws {
        do {
            try connection.pool.write { db in
                try db.execute(sql: "REINDEX")
                try deleteDamaged(db)
                for count in KeptCount.all { try count.repair(db) }
                for fields in KeptFields.all { try fields.repair(db) }
            }
        } catch let error as DatabaseError {
            throw GalleryError(error)
        }
    }

    private func pages(_ db: Database, _ report: inout Report) throws {
        for finding in try String.fetchAll(db, sql: "PRAGMA integrity_check") where finding != "ok" {
            let isIndex = finding.contains("index")
            report.add("pages", finding, repair: isIndex ? "make the indexes anew" : nil)
        }
        for row in try Row.fetchAll(db, sql: "PRAGMA foreign_key_check") {
            report.add("references", "row \(row[1] as Int64? ?? 0) of \(row[0] as String) belongs to nothing")
        }
    }

    private func sightings(_ db: Database, _ report: inout Report, _ tell: (Report) -> Void) throws {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT s.id, s.uuid, g.name, d.digest FROM live_sighting s JOIN gallery g ON g.id = s.gallery_id
                LEFT JOIN sighting_digest d ON d.sighting_id = s.id
                """)
        while let row = try rows.next() {
            report.sightings += 1
            let known: Data? = row[3]
            if known == nil { report.undigested += 1 }
            if let known, try RowDigest.sighting(row[0], SQLiteSession(db)) != known {
                report.add(
                    "sighting",
                    "\(row[1] as String) in \(row[2] as String): what was enrolled, or one of its images, has changed")
            }
            tell(report)
        }
    }

    private func embeddings(_ db: Database, _ report: inout Report, _ tell: (Report) -> Void) throws {
        let rows = try Row.fetchCursor(db, sql: Self.everyEmbedding)
        while let row = try rows.next() {
            report.embeddings += 1
            if row[6] == nil { report.undigested += 1 }
            if let fault = Self.fault(row) {
                report.add(
                    "embedding", "of \(row[8] as String? ?? "no sighting") by \(row[7] as String): \(fault)",
                    repair: "take it away, to be made again from kept images")
            }
            tell(report)
        }
    }

    private func deleteDamaged(_ db: Database) throws {
        let rows = try Row.fetchCursor(db, sql: Self.everyEmbedding)
        var damaged: [Int64] = []
        while let row = try rows.next() {
            if Self.fault(row) != nil { damaged.append(row[9]) }
        }
        for id in damaged { try db.execute(sql: "DELETE FROM embedding WHERE id = ?", arguments: [id]) }
    }

    private static let everyEmbedding = """
        SELECT e.modalities, e.is_fused, e.vectors, m.combination, m.modalities, m.dimension, d.digest, m.digest, s.uuid, e.id
        FROM embedding e JOIN model m ON m.id = e.model_id LEFT JOIN sighting s ON s.id = e.sighting_id
        LEFT JOIN embedding_digest d ON d.embedding_id = e.id ORDER BY e.id
        """

    private static func fault(_ row: Row) -> String? {
        let stored = StoredVectors(modalities: row[0], isFused: row[1], bytes: row[2])
        if let known = row[6] as Data?, RowDigest.embedding(stored) != known { return "its vectors have changed" }
        let space = VectorSpace(combination: row[3], modalities: row[4], dimension: row[5])
        guard let vectors = VectorCombination(stored.vectors, in: space) else {
            return "\(stored.bytes.count) bytes are no vectors of \(space.partDimension) elements"
        }
        return VectorTable.Prepared(vectors) == nil ? "its vectors are not finite, or zero" : nil
    }
}
