import Crypto
import Documents
import Foundation
import Threads

/// Copies all that one database keeps into another, empty one, of the same engine or another.
///
/// One transaction of the destination, which reads everything back before it is committed: so the copy is whole and equal, or nothing
/// is there. No server may have either. Models' files are no part of a database.
public struct GalleryCopy: Sendable {
    /// What was copied.
    public struct Report: Sendable, Equatable {
        /// By table, in the order in which they were copied.
        public internal(set) var rows: [(table: String, count: Int)] = []
        /// SHA-256 of all rows, in hexadecimal: the same of both databases.
        public internal(set) var digest = ""

        /// Whether the same rows were copied.
        public static func == (first: Report, second: Report) -> Bool { first.digest == second.digest }
    }

    private let source: any SQLEngine
    private let destination: any SQLEngine

    /// Copies from one path or address to another. Throws `GalleryError.storage` for a file that is not there, `.invalid` for a
    /// destination that has anything, and what an open throws; then the destination is as it was, but for empty tables.
    ///
    /// - Parameter progress: told how many rows have been copied, of how many.
    /// - Complexity: O(rows). Memory does not depend on them.
    @discardableResult
    public static func run(
        from source: String, to destination: String,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> Report {
        guard GalleryStore.isAddress(source) || FileManager.default.fileExists(atPath: source) else {
            throw GalleryError.storage("\(source): no such file")
        }
        let threads = WorkerThreads("copy", count: 2)
        let from = try await GalleryStore.engine(source, GalleryConfiguration(), threads: threads)
        do {
            let to = try await GalleryStore.engine(destination, GalleryConfiguration(), threads: threads)
            let outcome: Result<Report, any Error>
            do {
                outcome = .success(try await GalleryCopy(source: from, destination: to).run(progress))
            } catch {
                outcome = .failure(error)
            }
            try await to.close()
            let report = try outcome.get()
            try await from.close()
            return report
        } catch {
            try? await from.close()
            throw error
        }
    }

    private func run(_ progress: @escaping @Sendable (Int, Int) -> Void) async throws -> Report {
        try await destination.write { [source] to in
            for table in CopiedTable.all { try table.requireEmpty(to) }
            let report = try CopiedCounts.deferring(in: to) {
                try source.readNow { from in
                    var (report, done) = (Report(), 0)
                    let total = try CopiedTable.all.reduce(0) { $0 + (try $1.count(from)) }
                    let digests = try CopiedTable.all.map { table in
                        let (count, digest) = try table.copy(from, to) { progress(done + $0, total) }
                        done += count
                        report.rows.append((table.name, count))
                        return digest
                    }
                    try CopiedTable.copyNumbers(from, to)
                    report.digest = hexadecimal(digests)
                    return report
                }
            }
            for (table, copied) in zip(CopiedTable.all, report.rows) {
                guard try table.count(to) == copied.count else {
                    throw GalleryError.storage("the copy of \(table.name) has not as many rows")
                }
            }
            guard hexadecimal(try CopiedTable.all.map { try $0.digest(to) }) == report.digest else {
                throw GalleryError.storage("what was read back is not what was copied")
            }
            return report
        }
    }
}

private func hexadecimal(_ digests: [Data]) -> String {
    SHA256.hash(data: digests.reduce(Data(), +)).hexadecimal
}

/// Counts that triggers keep, while a copy fills the tables that they count.
///
/// PostgreSQL keeps every version of a row until the transaction has ended, and an update looks through all of them: to count a copy row by
/// row would take the square of its rows. There they are counted once, at its end.
private enum CopiedCounts {
    private static let triggers = [
        ("identity", "identity_made"), ("sighting", "sighting_made"), ("image", "image_made"),
        ("embedding", "embedding_made"), ("event", "event_made"),
    ]

    /// Runs a copy into an empty database, in a transaction.
    static func deferring<T>(in db: any SQLSession, _ copy: () throws -> T) throws -> T {
        guard db.dialect == .postgresql else { return try copy() }
        for (table, trigger) in triggers { try db.execute("ALTER TABLE \(table) DISABLE TRIGGER \(trigger)") }
        let result = try copy()
        for (table, trigger) in triggers { try db.execute("ALTER TABLE \(table) ENABLE TRIGGER \(trigger)") }
        // Of tables that were filled in this transaction the planner knows nothing else.
        try db.execute("ANALYZE identity, sighting, image, embedding")
        try db.execute("INSERT INTO identity_tally (identity_id, gallery_id) SELECT id, gallery_id FROM identity")
        try db.execute(
            """
            INSERT INTO coverage (gallery_id, model_id, sightings) SELECT s.gallery_id, e.model_id, COUNT(*)
            FROM embedding e JOIN sighting s ON s.id = e.sighting_id GROUP BY s.gallery_id, e.model_id
            """)
        for count in KeptCount.all { try count.repair(db) }
        return result
    }
}
