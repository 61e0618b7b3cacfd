import Foundation
import Threads

/// An examination of a database that no server has open: what the engine says of it, references, digests, vectors, counts, and the
/// index of metadata; and the repair of what follows from the rest.
public struct GalleryCheck: Sendable {
    /// Something that is wrong.
    public struct Finding: Sendable, Equatable, Codable {
        /// What it is about: `pages` of a file, the `schema` of a server's tables, `references`, `sighting`, `embedding`, `counts`,
        /// `fields` or `commits`.
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

    private let engine: any SQLEngine

    /// Takes the database as a server would, so that none has it meanwhile, and brings its schema up to date. Throws as `GalleryStore.open`
    /// does, and `GalleryError.storage` if there is no such file.
    ///
    /// - Parameter path: a file, or the address of a server.
    public init(path: String) async throws {
        guard GalleryStore.isAddress(path) || FileManager.default.fileExists(atPath: path) else {
            throw GalleryError.storage("\(path): no such file")
        }
        engine = try await GalleryStore.engine(
            path, GalleryConfiguration(), threads: WorkerThreads("check", count: 1))
    }

    /// Gives the database back.
    public func close() async throws { try await engine.close() }

    /// Looks at everything, changing nothing. O(size of the database); memory does not depend on it.
    ///
    /// - Parameter progress: told how many rows of how many have been looked at.
    public func examine(
        _ progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> Report {
        try await engine.read { [lost = engine.lostCommits] db in
            var report = Report()
            try db.dialect.examineStructure(db, &report)
            let total: Int = try db.only(
                "SELECT (SELECT COUNT(*) FROM live_sighting) + (SELECT COUNT(*) FROM embedding)")[0]
            let tell = { (report: Report) in progress(report.sightings + report.embeddings, total) }
            try Self.sightings(db, &report, tell)
            try Self.embeddings(db, &report, tell)
            for count in KeptCount.all { try count.examine(db, &report) }
            for fields in KeptFields.all { try fields.examine(db, &report) }
            if lost > 0 {
                report.add("commits", "\(lost) transactions that were committed are not in the database")
            }
            return report
        }
    }

    /// Does what the findings of a report say, in one transaction. Vectors that are taken away can be made again from kept
    /// images.
    public func repair() async throws {
        try await engine.write { db in
            if db.dialect == .sqlite { try db.execute("REINDEX") }
            var damaged: [Int64] = []
            try Self.forEachRow(Self.everyEmbedding, db) { if Self.fault($0) != nil { damaged.append($0[0]) } }
            for id in damaged { try db.execute("DELETE FROM embedding WHERE id = ?", [id]) }
            for count in KeptCount.all { try count.repair(db) }
            for fields in KeptFields.all { try fields.repair(db) }
        }
    }

    private static func sightings(_ db: any SQLSession, _ report: inout Report, _ tell: (Report) -> Void) throws {
        try forEachRow(everySighting, db) { row in
            report.sightings += 1
            let known: Data? = row[3]
            if known == nil { report.undigested += 1 }
            if let known, try RowDigest.sighting(row[0], db) != known {
                report.add(
                    "sighting",
                    "\(row[1] as String) in \(row[2] as String): what was enrolled, or one of its images, has changed")
            }
            tell(report)
        }
    }

    private static func embeddings(_ db: any SQLSession, _ report: inout Report, _ tell: (Report) -> Void) throws {
        try forEachRow(everyEmbedding, db) { row in
            report.embeddings += 1
            if row.isNull(7) { report.undigested += 1 }
            if let fault = fault(row) {
                report.add(
                    "embedding", "of \(row[9] as String? ?? "no sighting") by \(row[8] as String): \(fault)",
                    repair: "take it away, to be made again from kept images")
            }
            tell(report)
        }
    }

    /// Hands over all rows of a statement whose first column is their number, in pages that follow it: a statement must have ended
    /// before the next one runs.
    private static func forEachRow(_ sql: String, _ db: any SQLSession, _ body: (SQLRow) throws -> Void) throws {
        var rows = try db.rows(sql, [Int64.min])
        while let last: Int64 = rows.last?[0] {
            try rows.forEach(body)
            rows = try db.rows(sql, [last])
        }
    }

    private static let everySighting = """
        SELECT s.id, s.uuid, g.name, d.digest FROM live_sighting s JOIN gallery g ON g.id = s.gallery_id
        LEFT JOIN sighting_digest d ON d.sighting_id = s.id WHERE s.id > ? ORDER BY s.id LIMIT 1000
        """

    private static let everyEmbedding = """
        SELECT e.id, e.modalities, e.is_fused, e.vectors, m.combination, m.modalities, m.dimension, d.digest, m.digest, s.uuid
        FROM embedding e JOIN model m ON m.id = e.model_id LEFT JOIN sighting s ON s.id = e.sighting_id
        LEFT JOIN embedding_digest d ON d.embedding_id = e.id WHERE e.id > ? ORDER BY e.id LIMIT 1000
        """

    private static func fault(_ row: SQLRow) -> String? {
        let stored = StoredVectors(modalities: row[1], isFused: row[2], bytes: row[3])
        if let known = row[7] as Data?, RowDigest.embedding(stored) != known { return "its vectors have changed" }
        let space = VectorSpace(combination: row[4], modalities: row[5], dimension: row[6])
        guard let vectors = VectorCombination(stored.vectors, in: space) else {
            return "\(stored.bytes.count) bytes are no vectors of \(space.partDimension) elements"
        }
        return VectorTable.Prepared(vectors) == nil ? "its vectors are not finite, or zero" : nil
    }
}

extension SQLDialect {
    /// What the engine itself, or its catalogue, says of a database.
    fileprivate func examineStructure(_ db: any SQLSession, _ report: inout GalleryCheck.Report) throws {
        switch self {
        case .sqlite: try SQLiteStructure.examine(db, &report)
        case .postgresql: try PostgreSQLStructure.examine(db, &report)
        }
    }
}
