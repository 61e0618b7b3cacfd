import Foundation
import GRDB
import Similarity

extension GalleryStore {
    /// The sightings or identities nearest to a query by cosine, exactly: as a float32 scan over all would find them.
    ///
    /// A sighting is compared by the modalities that it shares with the query; where there are none, sums by all of each, and
    /// blocks not at all. A lone vector of several modalities is compared with what has exactly these. Throws `.notFound` for
    /// the gallery, `.invalid`, `.dimensionMismatch`, and `.modelMismatch` if the gallery has vectors but none of the query's
    /// model. O(vectors · dimension).
    public func query(_ query: GalleryQuery, in gallery: String) async throws -> QueryResult {
        try query.validate()
        let scope = try await read { db in try Self.scope(of: query, in: gallery, db) }
        guard let outcome = try await search(query, scope) else {
            let nothing = SearchStatistics(rows: 0, incomparable: 0, candidates: 0)
            return QueryResult(matches: [], unknown: true, statistics: nothing)
        }
        let details = try await read { db in try Self.details(of: outcome.hits.map(\.sighting), db) }
        // What was erased since the search is left out.
        let matches = outcome.hits.compactMap { hit in details[hit.sighting]?.match(score: hit.score) }
        return QueryResult(
            matches: matches, unknown: matches.isEmpty,
            statistics: SearchStatistics(
                rows: outcome.rows, incomparable: outcome.incomparable, candidates: outcome.candidates))
    }

    private struct Scope: Sendable {
        let gallery: Int64
        let filter: IndexFilter
    }

    /// nil if the gallery has no vectors at all.
    private func search(_ query: GalleryQuery, _ scope: Scope) async throws -> VectorIndex.Outcome? {
        let model = query.embedding.model
        let models = indexes.models(of: scope.gallery)
        guard models.isEmpty || models.contains(model) else {
            throw GalleryError.modelMismatch(requested: model, available: models)
        }
        guard let index = indexes.index(gallery: scope.gallery, model: model) else { return nil }
        // Nobody may have said yet what the model's vectors are; then there are only ones that cannot be taken apart.
        let space = index.space.modalities.isEmpty ? query.embedding.space ?? index.space : index.space
        let asked = VectorIndex.Query(
            vectors: try query.embedding.resolved(in: space).indexed, filter: scope.filter, limit: query.limit,
            threshold: query.threshold, grouping: query.grouping)
        let source = StoredVectorSource(pool: pool, model: model)
        return try await GalleryError.translating {
            try await index.search(
                [asked], source: source, threads: threads, slices: configuration.searchThreads)[0]
        }
    }

    private static func scope(of query: GalleryQuery, in gallery: String, _ db: Database) throws -> Scope {
        let id = try galleryID(gallery, db)
        return Scope(gallery: id, filter: try indexFilter(query.filter, id, db))
    }

    private static func indexFilter(_ filter: QueryFilter, _ gallery: Int64, _ db: Database) throws -> IndexFilter {
        var result = IndexFilter()
        result.cameras = filter.cameras.map(Set.init)
        result.excludedCameras = Set(filter.excludeCameras ?? [])
        result.capturedFrom = filter.capturedAfter?.milliseconds
        result.capturedBefore = filter.capturedBefore?.milliseconds
        result.identities = try filter.identities.map { names in
            Set(try names.compactMap { try findIdentity($0, gallery, db) })
        }
        if let metadata = filter.metadata, !metadata.isEmpty {
            result.sightings = try sightings(with: metadata, gallery, db)
        }
        return result
    }

    private static func sightings(with metadata: Metadata, _ gallery: Int64, _ db: Database) throws -> Set<Int64> {
        let conditions = metadata.map {
            MetadataColumn.condition($0.key, $0.value, columns: ["s.metadata", "i.metadata"])
        }
        let request: SQL = """
            SELECT s.id FROM live_sighting s JOIN identity i ON i.id = s.identity_id
            WHERE s.gallery_id = \(gallery) AND \(conditions.joined(operator: .and))
            """
        return try SQLRequest<Int64>(literal: request).fetchSet(db)
    }

    private struct Detail: Sendable {
        let sighting: SightingRecord
        let label: String?

        func match(score: Float) -> Match {
            Match(
                identity: sighting.identity, label: label, score: score, sighting: sighting.id,
                camera: sighting.camera, capturedAt: sighting.capturedAt, metadata: sighting.metadata)
        }
    }

    private static func details(of sightings: [Int64], _ db: Database) throws -> [Int64: Detail] {
        let request: SQLRequest<Row> = """
            SELECT s.*, i.name AS identity, i.label AS label, NULL AS modalities
            FROM live_sighting s JOIN identity i ON i.id = s.identity_id WHERE s.id IN \(sightings)
            """
        return try request.fetchAll(db).reduce(into: [:]) { details, row in
            details[row["id"]] = Detail(sighting: try SightingRecord(row), label: row["label"])
        }
    }
}

/// The vectors that the index does not hold, as they are in the database.
private struct StoredVectorSource: VectorSource {
    let pool: DatabasePool
    let model: String

    func vectors(of sightings: [Int64]) throws -> [Int64: [IndexVector]] {
        try pool.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT modalities, is_fused, vectors FROM embedding
                    WHERE sighting_id = ? AND model_id = (SELECT id FROM live_model WHERE digest = ?)
                    """)
            return try sightings.reduce(into: [:]) { found, sighting in
                guard let row = try Row.fetchOne(statement, arguments: [sighting, model]) else { return }
                found[sighting] = StoredVectors(modalities: row[0], isFused: row[1], bytes: row[2]).vectors
            }
        }
    }
}
