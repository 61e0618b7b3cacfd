import DatabaseFixtures
import Foundation
import Gallery
import Testing

struct EnrolmentTests {
    private let picture = KeptImage(modality: "rgb", contentType: "image/jpeg", bytes: Data((0...255).map(UInt8.init)))

    @Test("What was enrolled comes back as it was given")
    func roundTrip() async throws {
        try await withStore { store, _ in
            let time = Date(timeIntervalSince1970: 1_700_000_000.123)
            let receipt = try await store.enrol(
                Enrolment(
                    identity: "Ünïcode/1", identityLabel: "van", camera: "c 1", capturedAt: time,
                    metadata: ["lane": 2, "wet": true, "note": "a \"quoted\" note"], images: [picture],
                    embeddings: [embedding([0.6, 0.8])]),
                in: "g")
            let sighting = try await store.sighting(receipt.sighting.id, in: "g")
            #expect(sighting == receipt.sighting && !receipt.isReplay)
            #expect(sighting.identity == "Ünïcode/1" && sighting.camera == "c 1" && sighting.modalities == ["rgb"])
            #expect(sighting.metadata == ["lane": 2, "wet": true, "note": "a \"quoted\" note"])
            #expect(abs(try #require(sighting.capturedAt).timeIntervalSince(time)) < 0.0005)
            #expect(try await store.image("rgb", of: sighting.id, in: "g") == picture)
            #expect(try await store.identity("Ünïcode/1", in: "g").label == "van")
            await expectError(.notFound(.image, "tir")) { try await store.image("tir", of: sighting.id, in: "g") }
        }
    }

    @Test("What is known of images comes without them, and one image without the others")
    func images() async throws {
        try await withStore { store, _ in
            let thermal = KeptImage(modality: "tir", contentType: "image/png", bytes: Data([1, 2, 3]))
            let enrolment = Enrolment(identity: "a", images: [thermal, picture], embeddings: [embedding([1])])
            let id = try await store.enrol(enrolment, in: "g").sighting.id
            let found = try await store.images(of: id, in: "g")
            #expect(found.map(\.modality) == ["rgb", "tir"] && found.map(\.bytes) == [256, 3])
            #expect(found.map(\.contentType) == ["image/jpeg", "image/png"])
            #expect(try await store.image("tir", of: id, in: "g") == thermal)
            await expectError(.notFound(.sighting, "x")) { try await store.images(of: "x", in: "g") }
        }
    }

    @Test("A millisecond comes back as itself, and a time that would be kept as the year 10000 is refused")
    func milliseconds() async throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<100_000 {
            let time = Int64.random(in: -62_135_596_800_000..<253_402_300_800_000, using: &generator)
            #expect(Date(milliseconds: time).milliseconds == time)
        }
        try await withStore { store, _ in
            let late = Enrolment(identity: "a", capturedAt: Date(timeIntervalSince1970: 253_402_300_799.9997))
            await expectError(kind: "invalid captured_at") { try await store.enrol(late, in: "g") }
        }
    }

    @Test("A vector as long as the gallery can hold is enrolled, a longer one refused")
    func longest() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            let largest = [Float](repeating: 1, count: GalleryStore.largestDimension)
            _ = try await store.enrol(Enrolment(identity: "a", embeddings: [embedding(largest)]), in: "g")
            await expectError(kind: "invalid vector") {
                try await store.enrol(
                    Enrolment(identity: "a", embeddings: [embedding(largest + [1], model: "n")]), in: "g")
            }
        }
    }

    @Test("A sighting's identifier is a UUID of version 7")
    func identifier() async throws {
        try await withStore { store, _ in
            let id = try await store.enrol(Enrolment(identity: "a"), in: "g").sighting.id
            #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        }
    }

    @Test("A store that keeps no images stores none")
    func withoutImages() async throws {
        var configuration = GalleryConfiguration()
        configuration.keepsImages = false
        try await withStore(configuration) { store, _ in
            let sighting = try await store.enrol(Enrolment(identity: "a", images: [picture]), in: "g").sighting
            #expect(sighting.modalities.isEmpty)
            #expect(try await store.gallery("g").images == 0)
        }
    }

    @Test("A copy of the files, taken while the store is open, has every acknowledged enrolment: as after kill -9")
    func crash() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            for number in 0..<20 {
                let enrolment = Enrolment(identity: "i\(number)", images: [picture], embeddings: [embedding([1, 0])])
                _ = try await store.enrol(enrolment, in: "g")
            }
            try FileManager.default.copyItem(atPath: directory.file("g.sqlite"), toPath: directory.file("crash"))
            try FileManager.default.copyItem(
                atPath: directory.file("g.sqlite-wal"), toPath: directory.file("crash-wal"))
            let recovered = try await GalleryStore.open(path: directory.file("crash"))
            try await recovered.checkIntegrity()
            #expect(try await recovered.gallery("g").images == 20)
            let query = GalleryQuery(embedding: embedding([1, 0]), limit: 100)
            #expect(try await recovered.query(query, in: "g").matches.count == 20)
            try await recovered.close()
        }
    }

    @Test("A refused enrolment leaves nothing behind")
    func refusal() async throws {
        try await withStore { store, _ in
            _ = try await store.enrol(Enrolment(identity: "a", embeddings: [embedding([1, 0])]), in: "g")
            let wrong = Enrolment(identity: "b", images: [picture], embeddings: [embedding([1, 0, 0])])
            await expectError(.dimensionMismatch(model: "m", expected: 2, found: 3)) {
                try await store.enrol(wrong, in: "g")
            }
            await expectError(.notFound(.gallery, "h")) { try await store.enrol(Enrolment(identity: "b"), in: "h") }
            let summary = try await store.gallery("g")
            #expect((summary.identities, summary.sightings, summary.images) == (1, 1, 0))
        }
    }

    @Test(
        "A vector without a direction is refused", arguments: [[], [0, 0], [.nan, 1], [.infinity, 0]] as [[Float]])
    func badVector(values: [Float]) async throws {
        try await withStore { store, _ in
            let enrolment = Enrolment(identity: "b", embeddings: [embedding(values)])
            await expectError(kind: "invalid vector") { try await store.enrol(enrolment, in: "g") }
        }
    }

    @Test("A thousand enrolments from a hundred tasks are all there, and searchable at once")
    func concurrency() async throws {
        try await withStore { store, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<100 {
                    group.addTask {
                        for number in 0..<10 {
                            let vector = embedding([Float(task + 1), Float(number + 1)])
                            let enrolment = Enrolment(
                                identity: "i\(task % 20)", images: [picture], embeddings: [vector])
                            let id = try await store.enrol(enrolment, in: "g").sighting.id
                            let query = GalleryQuery(
                                embedding: vector, limit: 1000, threshold: 0.9999, grouping: .sighting)
                            #expect(try await store.query(query, in: "g").matches.contains { $0.sighting == id })
                        }
                    }
                }
                try await group.waitForAll()
            }
            let summary = try await store.gallery("g")
            #expect((summary.identities, summary.sightings, summary.images) == (20, 1000, 1000))
            #expect(summary.models.map(\.sightings) == [1000])
            try await store.checkIntegrity()
        }
    }

    @Test("An image is read alone: that another one of the sighting is damaged does not matter, nor to their list")
    func oneImage() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            let images = [("rgb", 0x11), ("tir", 0x5A)].map { modality, byte in
                KeptImage(
                    modality: modality, contentType: "image/png", bytes: Data(repeating: UInt8(byte), count: 100_000))
            }
            let enrolment = Enrolment(identity: "a", images: images, embeddings: [embedding([1])])
            let sighting = try await store.enrol(enrolment, in: "g").sighting.id
            try await store.close()
            // SQLite keeps the rest of a long value in a chain of pages that each begin with the number of the next.
            let file = URL(fileURLWithPath: directory.file("g.sqlite"))
            var bytes = try Data(contentsOf: file)
            var damaged = 0
            for page in stride(from: 0, to: bytes.count, by: 4096)
            where bytes[(page + 4)..<(page + 4096)].allSatisfy({ $0 == 0x5A }) {
                bytes.replaceSubrange(page..<(page + 4), with: [0xFF, 0xFF, 0xFF, 0xFF])
                damaged += 1
            }
            #expect(damaged > 10)
            try bytes.write(to: file)
            let again = try await GalleryStore.open(path: file.path)
            #expect(try await again.images(of: sighting, in: "g").map(\.bytes) == [100_000, 100_000])
            #expect(try await again.image("rgb", of: sighting, in: "g") == images[0])
            await expectError(kind: "storage") { try await again.image("tir", of: sighting, in: "g") }
            try await again.close()
        }
    }
}
