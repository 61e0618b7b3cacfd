import Foundation
import GRDB

/// The rows that a sighting's embeddings hang on, and what the index must know of it.
struct SightingOwner {
    let gallery: Int64
    let identity: Int64
    let sighting: Int64
    let camera: String?
    let capturedAt: Int64?
}

extension GalleryStore {
    /// Adds vectors of further models to a sighting. Those of a model that has embedded it already are left out, so
    /// that a repeated or resumed job does no harm. Throws `.notFound`, `.invalid` or `.dimensionMismatch`.
    public func addEmbeddings(
        _ embeddings: [SightingEmbedding], to sighting: String, in gallery: String
    ) async throws {
        for embedding in embeddings { try Validation.embedding(embedding) }
        try Validation.distinct(embeddings.map { "\($0.model) \($0.modalityKey)" }, "embeddings")
        try await write { [indexes] db in
            let owner = try Self.owner(of: sighting, Self.galleryID(gallery, db), db)
            let present = try Set(
                String.fetchAll(
                    db,
                    sql: "SELECT m.digest FROM embedding e JOIN model m ON m.id = e.model_id WHERE e.sighting_id = ?",
                    arguments: [owner.sighting]))
            try Self.insertEmbeddings(embeddings.filter { !present.contains($0.model) }, owner, indexes, db)
        }
    }

    /// A sighting's vectors of a model, its main one first. Throws `.notFound`.
    public func embeddings(
        of sighting: String, in gallery: String, model: String
    ) async throws -> [SightingEmbedding] {
        try await read { db in
            let owner = try Self.owner(of: sighting, Self.galleryID(gallery, db), db)
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT e.modalities, e.vector FROM embedding e JOIN model m ON m.id = e.model_id
                    WHERE e.sighting_id = ? AND m.digest = ? ORDER BY e.is_main DESC, e.id
                    """,
                arguments: [owner.sighting, model])
            return rows.map { SightingEmbedding(model: model, modalityKey: $0[0], blob: $0[1]) }
        }
    }

    /// Inserts the vectors, and gives them to the index after the commit.
    static func insertEmbeddings(
        _ embeddings: [SightingEmbedding], _ owner: SightingOwner, _ indexes: IndexRegistry, _ db: Database
    ) throws {
        var models: Set<String> = []
        var entries: [(key: IndexRegistry.Key, entry: IndexEntry)] = []
        for embedding in embeddings {
            let entry = IndexEntry(
                sighting: owner.sighting, identity: owner.identity, camera: owner.camera,
                capturedAt: owner.capturedAt, modalities: embedding.modalityKey,
                isMain: models.insert(embedding.model).inserted, vector: embedding.blob)
            try insert(entry, model: modelID(embedding, db), db)
            entries.append((IndexRegistry.Key(gallery: owner.gallery, model: embedding.model), entry))
        }
        db.afterNextTransaction { [entries] _ in
            for (key, entry) in entries { indexes.append(entry, to: key) }
        }
    }

    private static func insert(_ entry: IndexEntry, model: Int64, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO embedding (sighting_id, model_id, modalities, is_main, vector) VALUES (?, ?, ?, ?, ?)",
            arguments: [entry.sighting, model, entry.modalities, entry.isMain, entry.vector])
    }

    /// The model's row, made if this is its first vector.
    private static func modelID(_ embedding: SightingEmbedding, _ db: Database) throws -> Int64 {
        if let dimension = try dimension(of: embedding.model, db) {
            try embedding.requireDimension(dimension)
        } else {
            try db.execute(
                sql: "INSERT INTO model (digest, dimension) VALUES (?, ?)",
                arguments: [embedding.model, embedding.values.count])
        }
        return try Row.only(db, "SELECT id FROM model WHERE digest = ?", [embedding.model])[0]
    }

    static func dimension(of model: String, _ db: Database) throws -> Int? {
        try Int.fetchOne(db, sql: "SELECT dimension FROM model WHERE digest = ?", arguments: [model])
    }

    static func owner(of sighting: String, _ gallery: Int64, _ db: Database) throws -> SightingOwner {
        let row = try Row.fetchOne(
            db, sql: "SELECT id, identity_id, camera, captured_at FROM live_sighting WHERE gallery_id = ? AND uuid = ?",
            arguments: [gallery, sighting])
        guard let row else { throw GalleryError.notFound(.sighting, sighting) }
        return SightingOwner(
            gallery: gallery, identity: row["identity_id"], sighting: row["id"], camera: row["camera"],
            capturedAt: row["captured_at"])
    }
}

extension SightingEmbedding {
    func requireDimension(_ dimension: Int) throws {
        guard values.count == dimension else {
            throw GalleryError.dimensionMismatch(model: model, expected: dimension, found: values.count)
        }
    }
}
