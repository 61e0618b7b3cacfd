import Foundation
import GRDB
import Gallery
import Testing

/// Databases of earlier schemas, as their releases wrote them. They are never made again: every later release must open
/// them and give the same answers.
struct FixtureTests {
    @Test(
        "A database of an earlier schema version opens and answers as it did",
        arguments: ["gallery-v1", "gallery-v2", "gallery-v6"])
    func earlier(name: String) async throws {
        let directory = try TemporaryDirectory()
        let fixture = try #require(
            Bundle.module.url(forResource: name, withExtension: "sqlite", subdirectory: "Fixtures"))
        try FileManager.default.copyItem(atPath: fixture.path, toPath: directory.file("g.sqlite"))
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        try await store.checkIntegrity()
        let summary = try await store.gallery("vehicles")
        #expect(
            summary.gallery.label == "Vehicles"
                && summary.gallery.metadata == ["site": "north", "lanes": 2, "live": true])
        #expect((summary.identities, summary.sightings, summary.images, summary.imageBytes) == (3, 6, 6, 24))
        #expect(summary.models.map(\.model) == [Self.model] && summary.models.map(\.sightings) == [6])
        let query = GalleryQuery(embedding: embedding([1, 2, 3, 4], model: Self.model), limit: 3)
        let result = try await store.query(query, in: "vehicles")
        #expect(result.matches.map(\.identity) == ["car-1", "car-0", "car-2"])
        #expect(zip(result.matches, [0.98150, 0.96609, 0.94281]).allSatisfy { abs($0.score - $1) < 1e-5 })
        let best = try #require(result.matches.first)
        #expect(best.camera == "gate-1" && best.metadata == ["n": 1] && best.label == "Car 1")
        let image = try await store.image("tir", of: best.sighting, in: "vehicles")
        #expect(image == KeptImage(modality: "tir", contentType: "image/png", bytes: Data([1, 1, 1, 1])))
        let again = try await store.enrol(Self.enrolment(0), in: "vehicles")
        #expect(again.isReplay)
        #expect(try await store.identities(in: "vehicles").items.map(\.sightings) == [2, 2, 2])
        #expect(try await store.models().map(\.sightings) == [6])
        #expect(try await store.sightingCount() == 6)
        try await store.close()
    }

    /// Those of six triples by GraFT and by UniCat, each of every set of its modalities.
    private struct Earlier {
        let sighting: String
        let model: String
        let isMain: Bool
        let key: String
        let vector: [Float]

        static func all(_ path: String) throws -> [Earlier] {
            let database = try DatabaseQueue(path: path)
            return try database.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT s.uuid, m.digest, e.is_main, e.modalities, e.vector FROM embedding e
                        JOIN sighting s ON s.id = e.sighting_id JOIN model m ON m.id = e.model_id
                        """
                ).map { row in
                    let bytes: Data = row[4]
                    let vector = stride(from: 0, to: bytes.count, by: 4).map { offset in
                        Float(
                            bitPattern: bytes.withUnsafeBytes {
                                $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                            })
                    }
                    return Earlier(sighting: row[0], model: row[1], isMain: row[2], key: row[3], vector: vector)
                }
            }
        }
    }

    @Test("The vectors of schema version 3 are taken apart; every set of modalities makes what it had made")
    func vectors() async throws {
        let directory = try TemporaryDirectory()
        let fixture = try #require(
            Bundle.module.url(forResource: "gallery-v3", withExtension: "sqlite", subdirectory: "Fixtures"))
        for name in ["g.sqlite", "earlier.sqlite"] {
            try FileManager.default.copyItem(atPath: fixture.path, toPath: directory.file(name))
        }
        let earlier = try Earlier.all(directory.file("earlier.sqlite"))
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        try await store.checkIntegrity()
        #expect(try await store.models().map(\.sightings) == [6, 6])
        var compared = 0
        for old in earlier {
            let found = try #require(try await store.embedding(of: old.sighting, in: "g", model: old.model))
            let space = try #require(found.space)
            #expect(found.vectors.allSatisfy { $0.modalities.count == 1 && $0.values.count == 16 })
            #expect(space.combination == (old.vector.count == 16 ? .sum : .blocks))
            let names = old.key.split(separator: ",").map(String.init)
            let parts = Dictionary(uniqueKeysWithValues: found.vectors.map { ($0.modalities[0], $0.values) })
            let zeros = [Float](repeating: 0, count: 16)
            let combined =
                space.combination == .sum
                ? names.reduce(zeros) { sum, name in zip(sum, parts[name] ?? []).map { $0 + $1 } }
                : space.modalities.flatMap { names.contains($0) ? parts[$0] ?? [] : zeros }
            #expect(zip(normalised(combined), old.vector).allSatisfy { abs($0 - $1) < 2e-6 }, "\(old.key)")
            compared += 1
        }
        #expect(compared == earlier.count && compared == 64)
        // And the copy that is the way back is what it was.
        #expect(try Earlier.all(directory.file("g.sqlite.v3")).count == 64)
        #expect(try directory.mode(of: "g.sqlite.v3") == 0o600)
        try await store.close()
    }

    @Test("A gallery of schema version 5 answers as it did, and what was corrected there can be undone")
    func corrected() async throws {
        let directory = try TemporaryDirectory()
        let fixture = try #require(
            Bundle.module.url(forResource: "gallery-v5", withExtension: "sqlite", subdirectory: "Fixtures"))
        try FileManager.default.copyItem(atPath: fixture.path, toPath: directory.file("g.sqlite"))
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        try await store.checkIntegrity()
        let summary = try await store.gallery("vehicles")
        #expect(summary.gallery.retentionDays == 30000 && (summary.identities, summary.sightings) == (3, 5))
        let asked = SightingEmbedding(model: "m", space: nil, vectors: ["rgb": [5, 1, 2, 3]])
        let matches = try await store.query(GalleryQuery(embedding: asked, grouping: .sighting), in: "vehicles").matches
        #expect(matches.map(\.identity) == ["car-2", "car-2", "van-1", "car-0", "car-2"])
        #expect(matches.map(\.score) == [0.99999994, 0.9939991, 0.96828175, 0.78555334, 0.5991447])
        #expect(matches.map { $0.metadata["n"] } == [5, 4, 3, 1, 0])
        for correction in try await store.corrections(in: "vehicles").items.reversed() {
            _ = try await store.undoCorrection(correction.id, in: "vehicles")
        }
        #expect(try await store.identities(in: "vehicles").items.map(\.id) == ["car-0", "car-1", "car-2"])
        #expect(try await store.identities(in: "vehicles").items.map(\.sightings) == [2, 1, 2])
        #expect(try await store.thresholds(in: "vehicles").isEmpty)
        try await store.close()
    }

    @Test("A gallery of schema version 6 can be evaluated and mapped")
    func analysed() async throws {
        let directory = try TemporaryDirectory()
        let fixture = try #require(
            Bundle.module.url(forResource: "gallery-v6", withExtension: "sqlite", subdirectory: "Fixtures"))
        try FileManager.default.copyItem(atPath: fixture.path, toPath: directory.file("g.sqlite"))
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        await expectError(.notFound(.evaluation, "vehicles")) { try await store.latestEvaluation(in: "vehicles") }
        await expectError(.notFound(.map, "vehicles")) { try await store.latestMap(in: "vehicles") }
        let found = try await store.evaluate(in: "vehicles", model: Self.model)
        #expect((found.samples, found.all.queries, found.identities) == (6, 6, 3))
        _ = try await store.map(in: "vehicles", model: Self.model)
        #expect(
            try await store.latestMap(in: "vehicles").points.items.map(\.identity).sorted()
                == ["car-0", "car-0", "car-1", "car-1", "car-2", "car-2"])
        try await store.close()
        // They are there at the next start, and in a backup.
        let again = try await GalleryStore.open(path: directory.file("g.sqlite"))
        try await again.backup(to: directory.file("copy.sqlite"))
        try await again.close()
        let copy = try await GalleryStore.open(path: directory.file("copy.sqlite"))
        #expect(try await copy.latestEvaluation(in: "vehicles").evaluation == found)
        #expect(try await copy.latestMap(in: "vehicles").points.items.count == 6)
        try await copy.checkIntegrity()
        try await copy.close()
    }

    @Test("Jobs of schema version 2 are kept, and those that had not ended go on")
    func jobs() async throws {
        let directory = try TemporaryDirectory()
        let fixture = try #require(
            Bundle.module.url(forResource: "gallery-v2", withExtension: "sqlite", subdirectory: "Fixtures"))
        try FileManager.default.copyItem(atPath: fixture.path, toPath: directory.file("g.sqlite"))
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        let jobs = try await store.ledger.jobs(PageRequest(limit: 10)).items
        #expect(jobs.map(\.kind) == ["activation", "comparison"] && jobs.map(\.model) == [Self.model, "other"])
        #expect(jobs[0].result == #"{"embedded":6}"# && jobs[0].startedAt == jobs[0].createdAt)
        #expect(try await store.ledger.unfinishedJobs().map(\.kind) == ["comparison"])
        #expect(try await store.ledger.activeModel() == Self.model)
        try await store.ledger.save(JobRecord(kind: "backup"))
        #expect(
            try await store.ledger.jobs(PageRequest(limit: 10)).items.map(\.kind) == [
                "activation", "comparison", "backup",
            ])
        try await store.close()
    }

    private static let model = String(repeating: "ab", count: 32)

    private static func enrolment(_ number: Int) -> Enrolment {
        Enrolment(
            identity: "car-\(number % 3)", identityLabel: "Car \(number % 3)", camera: "gate-\(number % 3)",
            capturedAt: Date(timeIntervalSince1970: 1_700_000_000 + Double(number)),
            metadata: ["n": .number(Double(number))],
            images: [
                KeptImage(modality: "tir", contentType: "image/png", bytes: Data(repeating: UInt8(number), count: 4))
            ],
            embeddings: [embedding([1, 1, 1 + Float(number), 2], model: model)],
            idempotency: Idempotency(key: "request-\(number)", fingerprint: "f\(number)"))
    }

    /// How the fixture was made: `TRIPTYCH_MAKE_GALLERY_FIXTURE=<path> swift test --filter FixtureTests`.
    @Test(
        "Makes the fixture", .enabled(if: ProcessInfo.processInfo.environment["TRIPTYCH_MAKE_GALLERY_FIXTURE"] != nil))
    func make() async throws {
        let path = try #require(ProcessInfo.processInfo.environment["TRIPTYCH_MAKE_GALLERY_FIXTURE"])
        let store = try await GalleryStore.open(path: path)
        let metadata: Metadata = ["site": "north", "lanes": 2, "live": true]
        _ = try await store.createGallery("vehicles", label: "Vehicles", metadata: metadata)
        for number in 0..<6 { _ = try await store.enrol(Self.enrolment(number), in: "vehicles") }
        try await store.ledger.save(
            CheckpointRecord(file: "a.safetensors", digest: Self.model, bytes: 5, modifiedAt: 6, summary: "{}"))
        var job = JobRecord(kind: "activation", model: Self.model)
        job.state = .succeeded
        job.result = #"{"embedded":6}"#
        try await store.ledger.activate(Self.model, finishing: job, moving: nil)
        try await store.ledger.save(JobRecord(kind: "comparison", model: "other"))
        try await store.close()
    }
}
