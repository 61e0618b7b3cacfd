import Foundation

extension SQLStore {
    func save(_ evaluation: KeptEvaluation, gallery: Int64) async throws {
        try await write { db in
            _ = try Self.keep(evaluation, .evaluation, model: evaluation.evaluation.model, gallery, db)
        }
    }

    func save(
        _ map: GalleryMap, points: [(sighting: Int64, position: SIMD2<Float>)], gallery: Int64
    ) async throws {
        try await write { db in
            let id = try Self.keep(map, .map, model: map.model, gallery, db)
            // Without what was erased meanwhile.
            let statement = """
                INSERT INTO map_point (analysis_id, sighting_id, x, y)
                SELECT ?, id, ?, ? FROM live_sighting WHERE id = ? AND gallery_id = ?
                """
            for (sighting, position) in points {
                try db.execute(
                    statement, [id, Double(position.x), Double(position.y), sighting, gallery])
            }
        }
    }

    /// In place of the one before. Throws `.notFound` if the gallery was erased meanwhile, and `.modelMismatch` if the model was.
    private static func keep(
        _ document: some Encodable, _ kind: AnalysisKind, model: String, _ gallery: Int64, _ db: any SQLSession
    ) throws -> Int64 {
        guard try db.value(Bool.self, "SELECT TRUE FROM live_gallery WHERE id = ?", [gallery]) == true
        else { throw GalleryError.notFound(.gallery, "that was analysed") }
        let found = try db.value(Int64.self, "SELECT id FROM live_model WHERE digest = ?", [model])
        guard let found else { throw GalleryError.modelMismatch(requested: model, available: []) }
        try db.execute(
            "DELETE FROM analysis WHERE gallery_id = ? AND kind = ? AND model_id = ?", [gallery, kind.rawValue, found])
        return try db.insert(
            "INSERT INTO analysis (gallery_id, model_id, kind, created_at, document) VALUES (?, ?, ?, ?, ?)",
            [
                gallery, found, kind.rawValue, Date().milliseconds,
                String(decoding: try JSONEncoder().encode(document), as: UTF8.self),
            ])
    }

    /// The last one of a gallery, of a model or of any. Throws `.notFound`.
    private static func latest<Document: Decodable>(
        _ kind: AnalysisKind, _ type: Document.Type, in gallery: String, model: String?, _ db: any SQLSession
    ) throws -> (id: Int64, createdAt: Date, document: Document) {
        let row = try db.first(
            """
            SELECT a.id, a.created_at, a.document FROM analysis a JOIN live_model m ON m.id = a.model_id
            WHERE a.gallery_id = ?1 AND a.kind = ?2 AND (m.digest = ?3 OR ?3 IS NULL) ORDER BY a.id DESC LIMIT 1
            """, [galleryID(gallery, db), kind.rawValue, model])
        guard let row else { throw GalleryError.notFound(kind.subject, model ?? gallery) }
        let text: String = row[2]
        let document = try JSONDecoder().decode(type, from: Data(text.utf8))
        return (row[0], Date(milliseconds: row[1]), document)
    }

    func latestEvaluation(
        in gallery: String, model: String?
    ) async throws -> (kept: KeptEvaluation, createdAt: Date) {
        try await read { db in
            let found = try Self.latest(.evaluation, KeptEvaluation.self, in: gallery, model: model, db)
            return (found.document, found.createdAt)
        }
    }

    func latestMap(in gallery: String, model: String?, _ page: PageRequest) async throws -> MapPage {
        try await read { db in
            let found = try Self.latest(.map, GalleryMap.self, in: gallery, model: model, db)
            let rows = try db.rows(
                """
                SELECT p.id, p.x, p.y, s.uuid, s.camera, s.captured_at, i.name, i.label, e.modalities
                FROM map_point p JOIN live_sighting s ON s.id = p.sighting_id JOIN identity i ON i.id = s.identity_id
                LEFT JOIN embedding e ON e.sighting_id = s.id
                    AND e.model_id = (SELECT model_id FROM analysis WHERE id = ?1)
                WHERE p.analysis_id = ?1 AND p.id > ?2 ORDER BY p.id LIMIT ?3
                """, [found.id, page.start, page.limit + 1])
            return MapPage(
                id: found.id, map: found.document, createdAt: found.createdAt,
                points: Page(rows.map { ($0["id"], MapPoint($0)) }, page))
        }
    }

    func identities(rows: [Int64]) async throws -> [Int64: IdentityRecord] {
        try await read { db in
            try rows.reduce(into: [:]) { found, row in found[row] = try Self.identityRecord(row: row, db) }
        }
    }
}

/// What is kept of a gallery, the latest of each kind and model.
private enum AnalysisKind: String {
    case evaluation, map

    var subject: GalleryError.Subject { self == .evaluation ? .evaluation : .map }
}

extension MapPoint {
    fileprivate init(_ row: SQLRow) {
        let capturedAt: Int64? = row["captured_at"]
        let modalities: String? = row["modalities"]
        self.init(
            sighting: row["uuid"], identity: row["name"], label: row["label"], camera: row["camera"],
            capturedAt: capturedAt.map(Date.init(milliseconds:)),
            modalities: Set((modalities ?? "").split { ",;|".contains($0) }.map(String.init)).sorted(),
            x: row["x"], y: row["y"])
    }
}
