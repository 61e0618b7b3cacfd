import Foundation

/// The rows that a sighting's embeddings hang on, and what the index must know of it.
struct SightingOwner {
    let gallery: Int64
    let identity: Int64
    let sighting: Int64
    let camera: String?
    let capturedAt: Int64?
}

extension SQLStore {
    func addEmbeddings(_ additions: [EmbeddingAddition]) async throws -> Int {
        try await write { try Self.addEmbeddings(additions, $0) }
    }

    static func addEmbeddings(_ additions: [EmbeddingAddition], _ db: any SQLSession) throws -> Int {
        var (added, changes) = (0, [IndexChange]())
        for addition in additions {
            guard let gallery = try findGallery(addition.gallery, db),
                let owner = try findOwner(of: addition.sighting, gallery, db),
                try !hasEmbedding(owner.sighting, model: addition.embedding.model, db)
            else { continue }
            changes += try insertEmbeddings([addition.embedding], owner, db)
            added += 1
        }
        db.apply(changes)
        return added
    }

    func replaceEmbeddings(_ replacements: [EmbeddingAddition]) async throws -> Int {
        try await write { db in
            var (replaced, changes) = (0, [IndexChange]())
            for replacement in replacements {
                let model = replacement.embedding.model
                guard let gallery = try Self.findGallery(replacement.gallery, db),
                    let owner = try Self.findOwner(of: replacement.sighting, gallery, db)
                else { continue }
                let count = try db.execute(
                    """
                    DELETE FROM embedding WHERE \(Self.fused(orParts: replacement.embedding.hasSets))
                        AND sighting_id = ? AND model_id = (SELECT id FROM live_model WHERE digest = ?)
                    """, [owner.sighting, model])
                if count == 0 { continue }
                let key = IndexRegistry.Key(gallery: gallery, model: model)
                changes.append(.removeVectors(owner.sighting, from: key))
                changes += try Self.insertEmbeddings([replacement.embedding], owner, db)
                replaced += 1
            }
            db.apply(changes)
            return replaced
        }
    }

    func embedding(
        of sighting: String, in gallery: String, model: String
    ) async throws -> SightingEmbedding? {
        try await read { db in
            let owner = try Self.owner(of: sighting, Self.galleryID(gallery, db), db)
            return try Self.embedding(of: owner.sighting, model: model, db)
        }
    }

    private static func hasEmbedding(_ sighting: Int64, model: String, _ db: any SQLSession) throws -> Bool {
        try db.value(
            Bool.self,
            """
            SELECT EXISTS (
                SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id WHERE e.sighting_id = ? AND m.digest = ?)
            """, [sighting, model]) ?? false
    }

    /// Inserts what models made of a sighting.
    static func insertEmbeddings(
        _ embeddings: [SightingEmbedding], _ owner: SightingOwner, _ db: any SQLSession
    ) throws -> [IndexChange] {
        var changes: [IndexChange] = []
        for embedding in embeddings {
            let (model, space) = try model(of: embedding, &changes, db)
            let stored = StoredVectors(try embedding.resolved(in: space))
            let combination = VectorCombination(stored.vectors, in: space)
            try Validation.require(
                combination.flatMap { $0.unit(over: $0.names) } != nil, "vectors", "vectors whose sum is not zero",
                "zero")
            let row = try db.insert(
                """
                INSERT INTO embedding (sighting_id, model_id, modalities, is_fused, vectors) VALUES (?, ?, ?, ?, ?)
                """, [owner.sighting, model, stored.modalities, stored.isFused, stored.bytes])
            try RowDigest.keep(embedding: row, stored, db)
            let entry = VectorIndex.Entry(
                sighting: owner.sighting, identity: owner.identity, camera: owner.camera,
                capturedAt: owner.capturedAt, vectors: stored.vectors)
            let key = IndexRegistry.Key(gallery: owner.gallery, model: embedding.model)
            changes.append(.append(entry, row: row, to: key, space: space))
        }
        return changes
    }

    /// The model's row and space. Both are made with its first vector; a space that was not known before is learned.
    private static func model(
        of embedding: SightingEmbedding, _ changes: inout [IndexChange], _ db: any SQLSession
    ) throws -> (id: Int64, space: VectorSpace) {
        let row = try db.first(
            "SELECT id, combination, modalities, dimension FROM model WHERE digest = ?", [embedding.model])
        if let row {
            let known = VectorSpace(combination: row[1], modalities: row[2], dimension: row[3])
            guard row.isNull(1), let space = embedding.space, space.dimension == known.dimension else {
                return (row[0], known)
            }
            changes.append(try learn(space, of: row[0], embedding.model, db))
            return (row[0], space)
        }
        let space = embedding.space ?? embedding.impliedSpace
        let id = try db.insert(
            "INSERT INTO model (digest, dimension, combination, modalities) VALUES (?, ?, ?, ?)",
            [
                embedding.model, space.dimension, embedding.space?.combination.rawValue,
                embedding.space?.modalities.joined(separator: ","),
            ])
        return (id, space)
    }

    /// Writes down what a model's vectors are, of which that was not known, and takes apart what can be. O(its vectors),
    /// once.
    private static func learn(
        _ space: VectorSpace, of model: Int64, _ digest: String, _ db: any SQLSession
    ) throws -> IndexChange {
        try db.execute(
            "UPDATE model SET combination = ?, modalities = ? WHERE id = ?",
            [space.combination.rawValue, space.modalities.joined(separator: ","), model])
        let ids = try db.values(Int64.self, "SELECT id FROM embedding WHERE model_id = ?", [model])
        for id in ids {
            let row = try db.only("SELECT id, modalities, is_fused, vectors FROM embedding WHERE id = ?", [id])
            let old = StoredVectors(modalities: row[1], isFused: row[2], bytes: row[3])
            let embedding = try SightingEmbedding(model: digest, space: nil, old).resolved(in: space)
            let new = StoredVectors(embedding.takenApart(in: space))
            if new.isFused == old.isFused && new.bytes == old.bytes { continue }
            try db.execute(
                "UPDATE embedding SET is_fused = ?, vectors = ? WHERE id = ?", [new.isFused, new.bytes, id])
            try RowDigest.keep(embedding: id, new, db)
        }
        let relearned = IndexRegistry(holds: db.holdsVectors)
        try load(db, into: relearned, model: model)
        return .replaceModel(digest, by: relearned)
    }

    static func findOwner(of sighting: String, _ gallery: Int64, _ db: any SQLSession) throws -> SightingOwner? {
        let row = try db.first(
            "SELECT id, identity_id, camera, captured_at FROM live_sighting WHERE gallery_id = ? AND uuid = ?",
            [gallery, sighting])
        return row.map { row in
            SightingOwner(
                gallery: gallery, identity: row["identity_id"], sighting: row["id"], camera: row["camera"],
                capturedAt: row["captured_at"])
        }
    }

    static func owner(of sighting: String, _ gallery: Int64, _ db: any SQLSession) throws -> SightingOwner {
        guard let owner = try findOwner(of: sighting, gallery, db) else {
            throw GalleryError.notFound(.sighting, sighting)
        }
        return owner
    }
}

extension VectorSpace {
    /// Of a row of the database. A model of which nobody said what its vectors are has only ones that cannot be taken apart,
    /// for which sums do.
    init(combination: String?, modalities: String?, dimension: Int) {
        let names = modalities?.split(separator: ",").map(String.init) ?? []
        let combination = combination.flatMap(Combination.init) ?? .sum
        self.init(
            combination: combination, modalities: names,
            partDimension: combination == .sum ? dimension : dimension / max(names.count, 1))
    }
}
