import Foundation
import GRDB
import Similarity

extension GalleryStore {
    /// The sightings or identities nearest to a vector by cosine, exactly: as a float32 scan over all would find them.
    ///
    /// A sighting is compared by the modalities that it shares with the query, if both have a vector made from just these;
    /// else by the first vectors of both. Throws `.notFound` for the gallery, `.invalid`, `.dimensionMismatch`, and `.modelMismatch`
    /// if the gallery has vectors but none of the query's model. O(vectors · dimension).
    public func query(_ query: GalleryQuery, in gallery: String) async throws -> QueryResult {
        try query.validate()
        let scope = try await read { db in try Self.scope(of: query, in: gallery, db) }
        let outcome = try await GalleryError.translating {
            // On the threads for searching from the first look at the indexes: a snapshot is as long as they are large.
            try await threads.run { [indexes] in
                try Self.index(of: scope.gallery, model: query.embedding.model, indexes).map { index in
                    for vector in [query.embedding] + query.subsets { try vector.requireDimension(index.dimension) }
                    return Self.search(index, query, scope.filter)
                }
            }
        }
        guard let outcome else {
            return QueryResult(matches: [], unknown: true, statistics: SearchStatistics(rows: 0, candidates: 0))
        }
        let details = try await read { db in try Self.details(of: outcome.hits.map(\.sighting), db) }
        // What was erased since the search is left out.
        let matches = outcome.hits.compactMap { hit in details[hit.sighting]?.match(score: hit.score) }
        return QueryResult(
            matches: matches, unknown: matches.isEmpty,
            statistics: SearchStatistics(rows: outcome.rows, candidates: outcome.candidates))
    }

    private struct Scope: Sendable {
        let gallery: Int64
        let filter: IndexFilter
    }

    /// nil if the gallery has no vectors at all.
    private static func index(
        of gallery: Int64, model: String, _ indexes: IndexRegistry
    ) throws -> ExactIndex? {
        let models = indexes.models(of: gallery)
        guard models.isEmpty || models.contains(model) else {
            throw GalleryError.modelMismatch(requested: model, available: models)
        }
        return indexes.index(gallery: gallery, model: model)
    }

    private static func search(_ index: ExactIndex, _ query: GalleryQuery, _ filter: IndexFilter) -> ExactSearch.Outcome
    {
        index.search(
            SimilarityQuery(query.embedding.unitValues), modalities: query.embedding.modalityKey,
            subsets: Dictionary(
                query.subsets.map { ($0.modalityKey, SimilarityQuery($0.unitValues)) },
                uniquingKeysWith: { first, _ in first }),
            filter: filter, limit: query.limit, threshold: query.threshold, grouping: query.grouping
        ).run()
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
