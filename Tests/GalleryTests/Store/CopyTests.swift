import DatabaseFixtures
import Foundation
import Gallery
import Testing

struct CopyTests {
    /// Something of everything that a database keeps.
    private func fill(_ store: GalleryStore) async throws {
        let image = KeptImage(
            modality: "rgb", contentType: "image/png", bytes: Data(0...255), box: PixelBox([1, 2, 3, 4]))
        for number in 0..<30 {
            let key = Idempotency(key: "k\(number)", fingerprint: "f")
            let enrolment = Enrolment(
                identity: "i\(number % 7)", identityLabel: number % 2 == 0 ? "Ä \(number)" : nil,
                camera: number % 3 == 0 ? nil : "c\(number % 3)",
                capturedAt: number % 5 == 0 ? nil : Date(timeIntervalSince1970: Double(number) * 86_400),
                metadata: ["colour": "blue", "seats": .number(Double(number)), "taxi": .bool(number % 2 == 0)],
                images: number % 4 == 0 ? [] : [image],
                embeddings: [embedding([Float(number), 1, 0.5]), embedding([0.25, Float(number) + 1], model: "n")],
                idempotency: key)
            _ = try await store.enrol(enrolment, in: "g")
        }
        _ = try await store.mergeIdentities(["i1"], into: "i2", in: "g")
        _ = try await store.renameIdentity("i3", to: "renamed", in: "g")
        _ = try await store.distinguishIdentity("i5", from: ["i0"], in: "g")
        try await store.deleteIdentity("i4", in: "g")
        try await store.setThresholds(
            [MatchThreshold(model: "m", modalities: ["rgb"], threshold: 0.3)], model: "m", in: "g")
        var job = JobRecord(kind: "import", gallery: "g")
        (job.state, job.result) = (.succeeded, #"{"b": 1, "a": [2]}"#)
        try await store.ledger.save(job)
        try await store.ledger.activate("m", finishing: nil, moving: nil)
        try await store.ledger.save(
            CheckpointRecord(file: "m.safetensors", digest: "m", bytes: 7, modifiedAt: 1, summary: #"{"system":"x"}"#))
        try await store.ledger.create(Webhook(url: "https://example.org/", filter: EventFilter(), after: 3))
        _ = try await store.evaluate(in: "g", model: "m")
        _ = try await store.map(in: "g", model: "m")
        try await store.waitUntilErased()
    }

    /// That a client sees the same of both.
    private func compare(_ one: GalleryStore, _ other: GalleryStore) async throws {
        func same<T: Equatable>(_ ask: (GalleryStore) async throws -> T) async throws {
            let (expected, found) = (try await ask(one), try await ask(other))
            #expect(found == expected)
        }
        var filter = QueryFilter()
        filter.metadata = ["taxi": [.bool(true)], "seats": [.number(2), .number(8), .number(11)]]
        let query = GalleryQuery(embedding: embedding([3, 1, 0.5]), limit: 50, grouping: .sighting)
        var filtered = query
        filtered.filter = filter
        try await same { try await $0.query(query, in: "g") }
        try await same { [filtered] in try await $0.query(filtered, in: "g") }
        try await same { try await $0.gallery("g") }
        try await same { try await $0.identities(in: "g").items }
        try await same { try await $0.sightings(in: "g", SightingListFilter()).items }
        try await same { try await $0.facets(in: "g", SightingListFilter(), by: .month) }
        try await same { try await $0.corrections(in: "g").items }
        try await same { try await $0.distinctions(of: ["i0", "i5"], in: "g") }
        try await same { try await $0.events(after: 0).events }
        try await same { try await $0.thresholds(in: "g") }
        try await same { try await $0.ledger.jobs(.first).items.map(\.result) }
        try await same { try await $0.ledger.activeModel() }
        try await same { try await $0.ledger.checkpoints() }
        try await same { try await $0.ledger.webhooks() }
        try await same { try await $0.latestMap(in: "g").points.items.map(\.x) }
        try await same { try await $0.latestEvaluation(in: "g").worst.map(\.identity) }
        try await same { try await $0.ledger.audit(AuditFilter(), .first).items.map(\.action) }
    }

    private static let pairs = DatabaseEngine.holdingVectors.flatMap { from in
        DatabaseEngine.holdingVectors.map { (from, $0) }
    }

    @Test("A copy answers as its original, by bytes, and goes on where it was", arguments: pairs)
    func equal(_ from: DatabaseEngine, _ to: DatabaseEngine) async throws {
        try await DatabaseEngine.postgresql.taking {
            let (source, copy) = (try TemporaryDirectory(from), try TemporaryDirectory(to))
            var store = try await source.open()
            _ = try await store.createGallery("g")
            try await fill(store)
            try await store.close()
            let report = try await GalleryCopy.run(from: source.database, to: copy.database)
            #expect(report.rows.first { $0.table == "sighting" }?.count == 26)
            let original = try await source.open()
            store = try await copy.open()
            try await compare(original, store)
            try await original.close()
            let last = store.lastEvent
            // A number that was given does not come back.
            _ = try await store.enrol(Enrolment(identity: "new", embeddings: [embedding([1, 2, 3])]), in: "g")
            #expect(store.lastEvent > last)
            try await store.checkIntegrity()
            try await store.close()
            await expectError(kind: "invalid to") {
                try await GalleryCopy.run(from: source.database, to: copy.database)
            }
            let third = try TemporaryDirectory(from)
            let back = try await GalleryCopy.run(from: source.database, to: third.database)
            #expect(back == report)
        }
    }

    @Test("A file that is not there is not made, and nothing is copied of it")
    func missing() async throws {
        let directory = try TemporaryDirectory()
        await expectError(kind: "storage") {
            try await GalleryCopy.run(from: directory.file("none"), to: directory.database)
        }
        #expect(!FileManager.default.fileExists(atPath: directory.file("none")))
    }
}
