import Foundation
import Randomness
import Threads

/// How much of what comparing all sightings finds an index of the database finds, for one set of modalities.
public struct IndexRecall: Codable, Equatable, Sendable {
    /// By which sightings were compared.
    public let modalities: [String]
    /// Sightings that were looked for, each among all others.
    public internal(set) var queries = 0
    /// The share of them whose nearest was found.
    public internal(set) var atOne = 0.0
    /// The share that was found of their ten nearest.
    public internal(set) var atTen = 0.0
    /// How many needed no index, as all were compared anyway.
    public internal(set) var exact = 0
    /// Milliseconds of a search, the median.
    public internal(set) var milliseconds = 0.0
    /// The same of comparing all.
    public internal(set) var exhaustiveMilliseconds = 0.0

    private enum CodingKeys: String, CodingKey {
        case modalities, queries, exact, milliseconds
        case atOne = "recall_at_1"
        case atTen = "recall_at_10"
        case exhaustiveMilliseconds = "exhaustive_milliseconds"
    }
}

extension IndexRecall {
    /// Looks for some of a gallery's sightings, chosen evenly, by its index and by comparing all. Reads alone, beside any server.
    ///
    /// Throws `GalleryError.unsupported` for a database that was never searched itself, `.notFound`, `.invalid`, `.tooFew`, and
    /// `.unavailable`. O(samples · sightings).
    ///
    /// - Parameters:
    ///   - model: whose vectors; nil for the active model's.
    ///   - count: sightings that are looked for, 1 to 10 000.
    ///   - mostCompared: see `GalleryConfiguration`.
    public static func measure(
        _ address: String, gallery: String, model: String? = nil, samples count: Int = 100, seed: UInt64 = 1
    ) async throws -> [IndexRecall] {
        try await measure(
            address, gallery: gallery, model: model, samples: count, seed: seed,
            mostCompared: GalleryConfiguration().mostCompared)
    }

    package static func measure(
        _ address: String, gallery: String, model: String?, samples count: Int, seed: UInt64, mostCompared: Int
    ) async throws -> [IndexRecall] {
        try Validation.require((1...10_000).contains(count), "samples", "1 to 10000", "\(count)")
        let pool = PostgreSQLPool(try PostgreSQLAddress(address), lockWait: GalleryConfiguration().busyTimeout)
        defer { pool.close() }
        let threads = WorkerThreads("recall", count: 1)
        return try await threads.run {
            try GalleryError.translating {
                let probe = try pool.read { try RecallProbe(gallery, model, mostCompared, $0) }
                let samples = try pool.read { try probe.samples(count, seed: seed, $0) }
                var tally = RecallTally()
                for sample in samples { try pool.read { try probe.look(for: sample, $0, &tally) } }
                return tally.recalls
            }
        }
    }
}

/// Looks for a gallery's own sightings.
private struct RecallProbe {
    struct Sample {
        let name: String
        let embedding: SightingEmbedding
    }

    private let index: DatabaseIndex
    private let model: String

    init(_ gallery: String, _ model: String?, _ mostCompared: Int, _ db: any SQLSession) throws {
        guard let schema = try VectorSchema.find(db) else {
            throw GalleryError.unsupported("expected a database that was served with gallery.index: pgvector")
        }
        let row = try SQLStore.galleryID(gallery, db)
        let active = try model ?? db.value(String.self, "SELECT digest FROM active_model")
        let access = DatabaseIndex.Access(schema: schema, mostCompared: mostCompared) { _ in [] }
        let all = try DatabaseIndex.all(of: row, access, db)
        guard let name = active ?? all.keys.sorted().first, let index = all[name] as? DatabaseIndex else {
            throw GalleryError.modelMismatch(requested: active ?? "any", available: all.keys.sorted())
        }
        (self.index, self.model) = (index, name)
    }

    func samples(_ count: Int, seed: UInt64, _ db: any SQLSession) throws -> [Sample] {
        var generator = SplitMix64(seed: seed)
        let row = try db.only(
            "SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM sighting WHERE gallery_id = ?", [index.gallery])
        let (first, last): (Int, Int) = (row[0], row[1])
        let samples = try (0..<count).compactMap { _ -> Sample? in
            let start = first + generator.index(below: last - first + 1)
            return try db.first(
                """
                SELECT s.uuid, e.modalities, e.is_fused, e.vectors FROM live_sighting s
                JOIN embedding e ON e.sighting_id = s.id JOIN live_model m ON m.id = e.model_id AND m.digest = ?
                WHERE s.gallery_id = ? AND s.id >= ? ORDER BY s.id LIMIT 1
                """, [model, index.gallery, start]
            ).map { row in
                let stored = StoredVectors(modalities: row[1], isFused: row[2], bytes: row[3])
                return Sample(name: row[0], embedding: SightingEmbedding(model: model, space: index.space, stored))
            }
        }
        guard samples.count > 1 else { throw GalleryError.tooFew(expected: 2, found: samples.count) }
        return samples
    }

    /// By each set of its modalities, without itself.
    func look(for sample: Sample, _ db: any SQLSession, _ tally: inout RecallTally) throws {
        for set in sample.embedding.comparable {
            var query = VectorIndex.Query(
                vectors: sample.embedding.restricted(to: set).indexed, limit: 10, grouping: .sighting)
            query.conditions.excludeSightings = [sample.name]
            let (found, time) = try timed(query, db)
            query.isExhaustive = true
            let (wanted, exhaustive) = try timed(query, db)
            tally.add(set, found, time, wanted: wanted.hits, exhaustive)
        }
    }

    private func timed(
        _ query: VectorIndex.Query, _ db: any SQLSession
    ) throws -> (VectorIndex.Outcome, milliseconds: Double) {
        let start = ContinuousClock.now
        var search = DatabaseSearch(query, index, db)
        let outcome = try search.run()
        return (outcome, (ContinuousClock.now - start) / .milliseconds(1))
    }
}

/// What was found of what was to be found.
private struct RecallTally {
    private struct Gathered {
        var recall: IndexRecall
        var times: [Double] = []
        var exhaustive: [Double] = []
    }

    private var sets: [[String]: Gathered] = [:]

    /// Sightings that score alike are as good as each other.
    mutating func add(
        _ modalities: [String], _ found: VectorIndex.Outcome, _ time: Double, wanted: [VectorIndex.Hit],
        _ exhaustive: Double
    ) {
        guard let best = wanted.first, let last = wanted.last else { return }
        var set = sets[modalities] ?? Gathered(recall: IndexRecall(modalities: modalities))
        set.recall.queries += 1
        set.recall.exact += found.isExact ? 1 : 0
        set.recall.atOne += found.hits.first?.score == best.score ? 1 : 0
        set.recall.atTen += Double(found.hits.count { $0.score >= last.score }) / Double(wanted.count)
        set.times.append(time)
        set.exhaustive.append(exhaustive)
        sets[modalities] = set
    }

    var recalls: [IndexRecall] {
        sets.sorted { ($0.key.count, $0.key.joined()) < ($1.key.count, $1.key.joined()) }.map { _, set in
            var recall = set.recall
            recall.atOne /= Double(recall.queries)
            recall.atTen /= Double(recall.queries)
            recall.milliseconds = set.times.sorted()[set.times.count / 2]
            recall.exhaustiveMilliseconds = set.exhaustive.sorted()[set.exhaustive.count / 2]
            return recall
        }
    }
}
