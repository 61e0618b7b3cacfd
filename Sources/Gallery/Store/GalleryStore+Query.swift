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
        try await queries([query], in: gallery)[0].get()
    }

    /// The same for several at once, in their order: of one model they share each pass over its vectors, and all see the
    /// gallery at one moment. What is wrong with one is its result. Throws `.notFound` for the gallery.
    public func queries(_ queries: [GalleryQuery], in gallery: String) async throws -> [Result<QueryResult, any Error>]
    {
        let valid = queries.map { query in Result { try query.validate() }.map { query } }
        let scopes = try await read { db in
            let id = try Self.galleryID(gallery, db)
            return try valid.map { query in
                Scope(gallery: id, filter: try Self.indexFilter((try? query.get())?.filter ?? QueryFilter(), id, db))
            }
        }
        let asked = zip(valid, scopes).map { query, scope in Result { try prepare(query.get(), scope) } }
        var outcomes = try await search(asked.map { try? $0.get() })
        for (index, query) in queries.enumerated() where query.rerank != nil {
            guard let prepared = try? asked[index].get(), let outcome = outcomes[index] else { continue }
            outcomes[index] = try await reranked(outcome, prepared, query)
        }
        let found = Set(outcomes.values.flatMap { $0.hits.map(\.sighting) })
        let details = found.isEmpty ? [:] : try await read { db in try Self.details(of: found, db) }
        return asked.indices.map { index in
            asked[index].map { _ in Self.result(outcomes[index] ?? .nothing, details) }
        }
    }

    private static func result(_ outcome: VectorIndex.Outcome, _ details: [Int64: Detail]) -> QueryResult {
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

    /// A query on its way into an index; without one, the gallery has no vectors at all.
    private struct Prepared: Sendable {
        let index: VectorIndex?
        let model: String
        let query: VectorIndex.Query
    }

    private func prepare(_ query: GalleryQuery, _ scope: Scope) throws -> Prepared {
        let model = query.embedding.model
        let models = indexes.models(of: scope.gallery)
        guard models.isEmpty || models.contains(model) else {
            throw GalleryError.modelMismatch(requested: model, available: models)
        }
        let index = indexes.index(gallery: scope.gallery, model: model)
        let vectors = try index.map { index in
            // Nobody may have said yet what the model's vectors are; then there are only ones that cannot be taken apart.
            let space = index.space.modalities.isEmpty ? query.embedding.space ?? index.space : index.space
            return try query.embedding.resolved(in: space).indexed
        }
        return Prepared(
            index: index, model: model,
            query: VectorIndex.Query(
                vectors: vectors ?? [], filter: scope.filter, limit: max(query.rerank ?? 0, query.limit),
                threshold: query.threshold, grouping: query.rerank == nil ? query.grouping : .sighting))
    }

    /// The first sightings in another order, and then what the query asks for of them.
    private func reranked(
        _ outcome: VectorIndex.Outcome, _ prepared: Prepared, _ query: GalleryQuery
    ) async throws -> VectorIndex.Outcome {
        guard let space = prepared.index?.space, let rerank = query.rerank else { return outcome }
        let (candidates, source) = (
            Array(outcome.hits.prefix(rerank)), StoredVectorSource(pool: pool, model: prepared.model)
        )
        let order = try await GalleryError.translating {
            try await threads.run { () -> [VectorIndex.Hit] in
                let vectors = try source.vectors(of: candidates.map(\.sighting))
                // What was erased meanwhile is left out in the end.
                let known = candidates.filter { vectors[$0.sighting] != nil }
                var neighbourhood = Neighbourhood(
                    [prepared.query.vectors] + known.compactMap { vectors[$0.sighting] }, in: space)
                guard let squared = neighbourhood?.squaredDistances() else { return candidates }
                let distances = KReciprocal().distances(squared)
                return known.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }.map { known[$0] }
            }
        }
        let hits = VectorIndex.Hit.best(query.limit, of: order + outcome.hits.dropFirst(rerank), query.grouping)
        return VectorIndex.Outcome(
            hits: hits, rows: outcome.rows, candidates: outcome.candidates, incomparable: outcome.incomparable)
    }

    /// By the query's place; of what there is nothing to search for there is none.
    private func search(_ prepared: [Prepared?]) async throws -> [Int: VectorIndex.Outcome] {
        let places = prepared.indices.filter { prepared[$0]?.index != nil }
        var outcomes: [Int: VectorIndex.Outcome] = [:]
        for (model, places) in Dictionary(grouping: places, by: { prepared[$0]?.model ?? "" }) {
            guard let index = places.first.flatMap({ prepared[$0]?.index }) else { continue }
            let source = StoredVectorSource(pool: pool, model: model)
            let found = try await GalleryError.translating {
                try await index.search(
                    places.compactMap { prepared[$0]?.query }, source: source, threads: threads,
                    slices: configuration.searchThreads)
            }
            for (place, outcome) in zip(places, found) { outcomes[place] = outcome }
        }
        return outcomes
    }

    static func indexFilter(_ filter: QueryFilter, _ gallery: Int64, _ db: Database) throws -> IndexFilter {
        var result = IndexFilter()
        result.cameras = filter.cameras.map(Set.init)
        result.excludedCameras = Set(filter.excludeCameras ?? [])
        result.capturedFrom = filter.capturedAfter?.milliseconds
        result.capturedBefore = filter.capturedBefore?.milliseconds
        result.identities = try filter.identities.map { try rows(of: $0, gallery, db) }
        if let prefix = filter.labelPrefix {
            let labelled = try identities(labelled: prefix, gallery, db)
            result.identities = result.identities?.intersection(labelled) ?? labelled
        }
        result.excludedIdentities = try rows(of: filter.excludeIdentities ?? [], gallery, db)
        for (key, condition) in filter.metadata ?? [:] {
            let found = try MetadataField.sightings(key, condition, gallery, db)
            result.sightings = result.sightings?.intersection(found) ?? found
        }
        for (key, condition) in filter.excludeMetadata ?? [:] {
            result.excludedSightings.formUnion(try MetadataField.sightings(key, condition, gallery, db))
        }
        return result
    }

    private static func rows(of identities: [String], _ gallery: Int64, _ db: Database) throws -> Set<Int64> {
        Set(try identities.compactMap { try findIdentity($0, gallery, db) })
    }

    private static func identities(labelled prefix: String, _ gallery: Int64, _ db: Database) throws -> Set<Int64> {
        // No text that begins so comes after the last scalar, which no label has.
        try Int64.fetchSet(
            db, sql: "SELECT id FROM live_identity WHERE gallery_id = ? AND label >= ? AND label < ? || char(1114111)",
            arguments: [gallery, prefix, prefix])
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

    private static func details(of sightings: Set<Int64>, _ db: Database) throws -> [Int64: Detail] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT s.*, i.name AS identity, i.label AS label, NULL AS modalities
                FROM live_sighting s JOIN identity i ON i.id = s.identity_id WHERE s.id = ?
                """)
        return try sightings.reduce(into: [:]) { details, sighting in
            guard let row = try Row.fetchOne(statement, arguments: [sighting]) else { return }
            details[sighting] = Detail(sighting: try SightingRecord(row), label: row["label"])
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
