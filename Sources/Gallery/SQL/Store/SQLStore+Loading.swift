import Foundation
import Similarity
import Threads

extension SQLStore {
    /// Vectors that one read takes, about: between reads others write, and an answer is held in memory.
    static let step: Int64 = 20_000

    /// All vectors, read on several threads at once. What others write meanwhile is there or not: they must be followed from where
    /// they were when this began.
    static func load(_ engine: any SQLEngine, _ threads: WorkerThreads, slices: Int) async throws -> DamagedVectors {
        let indexes = engine.indexes
        let last = try await engine.read { try $0.value(Int64.self, "SELECT MAX(id) FROM embedding") ?? 0 }
        let slices = Int64(max(slices, 1))
        let slice = last / slices + 1
        return try await withThrowingTaskGroup(of: DamagedVectors.self) { group in
            for number in 0..<slices {
                group.addTask {
                    let range = (number * slice)..<((number + 1) * slice)
                    return try await threads.run {
                        var damaged = DamagedVectors()
                        for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(step)) {
                            let part = start..<min(start + step, range.upperBound)
                            damaged.add(try engine.readNow { try load($0, into: indexes, part) })
                        }
                        return damaged
                    }
                }
            }
            return try await group.reduce(into: DamagedVectors()) { $0.add($1) }
        }
    }

    /// The vectors of some rows, and of one model, by its row, or of all. One that cannot be used is set aside: the others
    /// are worth a start.
    @discardableResult static func load(
        _ db: any SQLSession, into indexes: IndexRegistry, _ range: Range<Int64> = 0..<Int64.max, model: Int64? = nil
    ) throws -> DamagedVectors {
        var damaged = DamagedVectors()
        if !indexes.holds { return damaged }
        try db.forEach(StartStatement.everyVector, [range.lowerBound, range.upperBound, model]) { row in
            if !load(row, into: indexes) { damaged.add(sighting: row[5], model: row[1]) }
        }
        return damaged
    }

    private static func load(_ row: SQLRow, into indexes: IndexRegistry) -> Bool {
        guard let (entry, key, space) = entry(row) else { return false }
        return indexes.append(entry, to: key, space: space)
    }

    /// nil for one of a dimension that cannot be searched.
    static func entry(_ row: SQLRow) -> (VectorIndex.Entry, IndexRegistry.Key, VectorSpace)? {
        let space = VectorSpace(combination: row[2], modalities: row[3], dimension: row[4])
        guard (1...SimilarityBlock.largestDimension).contains(space.dimension) else { return nil }
        let stored = StoredVectors(modalities: row[9], isFused: row[10], bytes: row[11])
        let entry = VectorIndex.Entry(
            sighting: row[5], identity: row[6], camera: row[7], capturedAt: row[8], vectors: stored.vectors)
        return (entry, IndexRegistry.Key(gallery: row[0], model: row[1]), space)
    }
}

/// What a start reads, and what a server reads of what others have enrolled.
package enum StartStatement {
    /// As they were written. In another order SQLite would sort all vectors.
    package static let everyVector = """
        SELECT \(columns)
        \(source) WHERE e.id >= ?1 AND e.id < ?2 AND (m.id = ?3 OR ?3 IS NULL) ORDER BY e.id
        """

    /// Of an array of PostgreSQL, by their rows, which they say last.
    static let someVectors = "SELECT \(columns), e.id \(source) WHERE e.id = ANY (CAST(? AS bigint[]))"

    private static let columns = """
        s.gallery_id, m.digest, m.combination, m.modalities, m.dimension, s.id, s.identity_id, s.camera, s.captured_at,
        e.modalities, e.is_fused, e.vectors
        """
    private static let source = """
        FROM embedding e CROSS JOIN live_sighting s ON s.id = e.sighting_id CROSS JOIN live_model m ON m.id = e.model_id
        """
}
