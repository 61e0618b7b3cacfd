import Foundation
import GRDB
import Gallery
import Testing

/// The counts that are kept are those that counting gives.
struct TallyTests {
    private static let counts = [
        "SELECT gallery_id, identities, sightings, images, image_bytes FROM gallery_tally ORDER BY 1": """
        SELECT id, (SELECT COUNT(*) FROM identity WHERE gallery_id = g.id),
            (SELECT COUNT(*) FROM sighting WHERE gallery_id = g.id),
            (SELECT COUNT(*) FROM image i JOIN sighting s ON s.id = i.sighting_id WHERE s.gallery_id = g.id),
            (SELECT COALESCE(SUM(length(bytes)), 0) FROM image i JOIN sighting s ON s.id = i.sighting_id
                WHERE s.gallery_id = g.id)
        FROM gallery g ORDER BY 1
        """,
        "SELECT identity_id, sightings, gallery_id, last_seen FROM identity_tally ORDER BY 1": """
        SELECT id, (SELECT COUNT(*) FROM sighting WHERE identity_id = i.id), gallery_id,
            (SELECT MAX(COALESCE(captured_at, created_at)) FROM sighting
                WHERE identity_id = i.id AND id NOT IN (SELECT sighting_id FROM erased_sighting))
        FROM identity i ORDER BY 1
        """,
        "SELECT * FROM coverage WHERE sightings > 0 ORDER BY 1, 2": """
        SELECT s.gallery_id, e.model_id, COUNT(*) FROM embedding e
        JOIN sighting s ON s.id = e.sighting_id GROUP BY 1, 2 ORDER BY 1, 2
        """,
        "SELECT id, sightings FROM model ORDER BY 1":
            """
        SELECT id, (SELECT COUNT(*) FROM embedding WHERE model_id = m.id) FROM model m ORDER BY 1
        """,
        "SELECT sightings FROM total": "SELECT COUNT(*) FROM sighting",
    ]

    private func check(_ reader: DatabaseQueue, _ sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await reader.read { db in
            for (kept, counted) in Self.counts {
                let found = try Row.fetchAll(db, sql: kept).map { Array($0.databaseValues) }
                let expected = try Row.fetchAll(db, sql: counted).map { Array($0.databaseValues) }
                #expect(found == expected, "\(kept)", sourceLocation: sourceLocation)
            }
        }
    }

    private func size(_ generator: inout SeededGenerator) -> Int { .random(in: 1..<9000, using: &generator) }

    private func enrolment(_ generator: inout SeededGenerator) -> Enrolment {
        let modalities = ["nir", "rgb", "tir"].filter { _ in Bool.random(using: &generator) }
        let images = modalities.map {
            KeptImage(modality: $0, contentType: "image/png", bytes: Data(count: size(&generator)))
        }
        var embeddings = [embedding([1, 2])]
        if Bool.random(using: &generator) { embeddings.append(embedding([1, 1, 1], model: "n")) }
        return Enrolment(
            identity: "i\(Int.random(in: 0..<4, using: &generator))", images: images, embeddings: embeddings)
    }

    private func change(_ store: GalleryStore, _ gallery: String, _ generator: inout SeededGenerator) async throws {
        let identities = try await store.identities(in: gallery).items
        switch (Int.random(in: 0..<20, using: &generator), identities.randomElement(using: &generator)) {
        case (0, _):
            try await store.deleteGallery(gallery)
            _ = try await store.createGallery(gallery)
        case (1, _): try await store.deleteEmbeddings(model: Bool.random(using: &generator) ? "m" : "n")
        case (10...15, let identity?): try await correct(store, gallery, identities.map(\.id), identity.id, &generator)
        case (2...3, let identity?): try await store.deleteIdentity(identity.id, in: gallery)
        case (4...7, let identity?):
            if let sighting = try await store.sightings(of: identity.id, in: gallery).items.first {
                try await store.deleteSighting(sighting.id, in: gallery)
            }
        case (8, _): _ = try? await store.createIdentity("empty", in: gallery)
        case (9, _):
            let pending = try await store.pendingBatch(model: "n", limit: 3).sightings
            try await store.addEmbeddings(
                pending.map {
                    EmbeddingAddition(embedding([1, 0, 0], model: "n"), to: $0.sighting, in: $0.gallery)
                })
        default: _ = try await store.enrol(enrolment(&generator), in: gallery)
        }
    }

    private func correct(
        _ store: GalleryStore, _ gallery: String, _ identities: [String], _ identity: String,
        _ generator: inout SeededGenerator
    ) async throws {
        let name = "i\(Int.random(in: 4..<1_000_000, using: &generator))"
        let others = identities.filter { $0 != identity }.prefix(2)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: _ = try await store.renameIdentity(identity, to: name, in: gallery)
        case 1 where !others.isEmpty:
            _ = try await store.mergeIdentities(Array(others), into: identity, in: gallery)
        case 2:
            if let sighting = try await store.sightings(of: identity, in: gallery).items.first {
                _ = try await store.moveSighting(sighting.id, to: name, in: gallery)
            }
        default:
            let last = try await store.corrections(in: gallery, PageRequest(limit: 1000)).items.last {
                $0.undoneAt == nil
            }
            if let last { _ = try? await store.undoCorrection(last.id, in: gallery) }
        }
    }

    @Test("After any changes, erasures under way included, every count is true", arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        var configuration = GalleryConfiguration()
        configuration.pieceBytes = 1
        try await withStore(configuration, on: [.sqlite]) { store, directory in
            _ = try await store.createGallery("h")
            let reader = try directory.connect()
            for _ in 0..<150 {
                try await change(store, Bool.random(using: &generator) ? "g" : "h", &generator)
                try await check(reader)
            }
            try await store.waitUntilErased()
            try await check(reader)
            let embedded = try await reader.read { db in
                try Int.fetchAll(
                    db, sql: "SELECT COUNT(DISTINCT sighting_id) FROM embedding GROUP BY model_id ORDER BY 1")
            }
            #expect(try await store.models().map(\.sightings).sorted() == embedded)
            try reader.close()
        }
    }

    @Test("Counts are true after deletions that cascade")
    func cascades() async throws {
        var generator = SeededGenerator(seed: 7)
        try await withStore(on: [.sqlite]) { store, directory in
            _ = try await store.createGallery("h")
            for number in 0..<40 { _ = try await store.enrol(enrolment(&generator), in: number % 2 == 0 ? "g" : "h") }
            let other = try directory.connect()
            for table in ["model", "identity", "gallery"] {
                try await other.write { db in
                    try db.execute(sql: "DELETE FROM \(table) WHERE id = (SELECT MIN(id) FROM \(table))")
                }
                try await check(other)
            }
            try other.close()
        }
    }
}
