import Foundation

/// A gallery's vectors of one model where they are: searched in the database, with none of them in memory.
///
/// What it knows of the gallery is of one moment; each search sees one of its own. Where a part of the sightings has an index, it finds
/// nearly all of the nearest (`SearchStatistics.isApproximate`); where it has none, or a gallery has few, all are compared. Either way
/// the scores of those that answer are those of the stored float32 vectors.
final class DatabaseIndex: SightingSearch {
    /// How a database is searched.
    struct Access: Sendable {
        let schema: VectorSchema
        /// A gallery of no more is compared whole: that is as fast, and exact.
        let mostCompared: Int
        let read:
            @Sendable (@escaping @Sendable (any SQLSession) throws -> [VectorIndex.Outcome]) async throws ->
                [VectorIndex.Outcome]
    }

    let space: VectorSpace
    let model: String
    let gallery: Int64
    let layouts: [VectorLayout]
    let access: Access

    private init(_ model: String, _ gallery: Int64, _ space: VectorSpace, _ layouts: [VectorLayout], _ access: Access) {
        (self.model, self.gallery, self.space) = (model, gallery, space)
        (self.layouts, self.access) = (layouts, access)
    }

    /// By the models that have vectors in a gallery, or had.
    static func all(
        of gallery: Int64, _ access: Access, _ db: any SQLSession
    ) throws -> [String: any SightingSearch] {
        let rows = try db.rows(
            """
            SELECT m.digest, m.combination, m.modalities, m.dimension, l.id, l.kind, c.sightings, (
                SELECT string_agg(CAST(p.part AS text), ',') FROM vector_part p
                WHERE p.layout_id = l.id AND p.is_indexed = 1) AS indexed
            FROM vector_count c JOIN vector_layout l ON l.id = c.layout_id JOIN live_model m ON m.id = l.model_id
            WHERE c.gallery_id = ? ORDER BY l.id
            """, [gallery])
        return Dictionary(grouping: rows) { $0[0] as String }.mapValues { rows in
            let space = VectorSpace(combination: rows[0][1], modalities: rows[0][2], dimension: rows[0][3])
            let layouts = rows.map { row in
                let indexed: String? = row[7]
                return VectorLayout(
                    id: row[4], table: VectorLayout.table(ofKind: row[5], in: space), sightings: row[6],
                    indexed: Set((indexed ?? "").split(separator: ",").compactMap { Int($0) }))
            }
            return DatabaseIndex(rows[0][0], gallery, space, layouts, access)
        }
    }

    var isEmpty: Bool { layouts.allSatisfy { $0.sightings == 0 } }

    func sharesSome(of names: [String]) -> Bool {
        layouts.contains { $0.sightings > 0 && $0.table.sharesSome(of: names) }
    }

    func scan(_ layout: VectorLayout, _ plan: VectorLayout.Plan) -> VectorScan {
        VectorScan(
            schema: access.schema, gallery: gallery, layout: layout, plan: plan,
            isSmall: layout.sightings <= access.mostCompared)
    }

    func outcomes(of queries: [VectorIndex.Query], _ means: SearchMeans) async throws -> [VectorIndex.Outcome] {
        try await access.read { [self] db in
            // Before the searches, so that whatever they do not see is after it.
            let last = try db.value(Int64.self, "SELECT MAX(id) FROM sighting WHERE gallery_id = ?", [gallery]) ?? 0
            return try queries.map { query in
                try Task.checkCancellation()
                var search = DatabaseSearch(query, self, db)
                var outcome = try search.run()
                outcome.last = last
                return outcome
            }
        }
    }
}
