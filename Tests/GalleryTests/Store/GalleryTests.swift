import Foundation
import Gallery
import Testing

struct GalleryTests {
    @Test("A gallery is made, listed, shown with its counts and erased")
    func lifeOfAGallery() async throws {
        try await withStore { store, _ in
            let made = try await store.createGallery("cars.2024", label: "Cars", metadata: ["site": "north", "n": 3])
            #expect(made.metadata == ["site": "north", "n": 3])
            #expect(try await store.galleries().items.map(\.name) == ["g", "cars.2024"])
            _ = try await store.enrol(
                Enrolment(
                    identity: "a",
                    images: [KeptImage(modality: "rgb", contentType: "image/png", bytes: Data([1, 2, 3]))],
                    embeddings: [embedding([1, 0])]),
                in: "cars.2024")
            let summary = try await store.gallery("cars.2024")
            #expect(summary.gallery == made)
            #expect((summary.identities, summary.sightings, summary.images, summary.imageBytes) == (1, 1, 1, 3))
            #expect(summary.models.map(\.model) == ["m"] && summary.models.map(\.sightings) == [1])
            try await store.deleteGallery("cars.2024")
            await expectError(.notFound(.gallery, "cars.2024")) { try await store.gallery("cars.2024") }
            #expect(try await store.sightingCount() == 0)
        }
    }

    @Test("A name that is taken is refused")
    func takenName() async throws {
        try await withStore { store, _ in
            await expectError(.alreadyExists(.gallery, "g")) { try await store.createGallery("g") }
        }
    }

    @Test(
        "A name that breaks the rules is refused",
        arguments: ["", "a b", "ä", "a/b", "a\0", ".", "..", String(repeating: "x", count: 65)])
    func badName(name: String) async throws {
        try await withStore { store, _ in
            await expectError(kind: "invalid gallery") { try await store.createGallery(name) }
        }
    }

    @Test("Metadata that JSON cannot hold, or too much of it, is refused")
    func badMetadata() async throws {
        try await withStore { store, _ in
            await expectError(kind: "invalid metadata.x") {
                try await store.createGallery("n", metadata: ["x": .number(.nan)])
            }
            let many = Metadata(uniqueKeysWithValues: (0..<65).map { ("k\($0)", 1) })
            await expectError(kind: "invalid metadata") { try await store.createGallery("n", metadata: many) }
        }
    }

    @Test("A list comes in pages, each item once, and the last page has no cursor")
    func paging() async throws {
        try await withStore { store, _ in
            for number in 0..<7 { _ = try await store.createIdentity("i\(number)", in: "g") }
            var seen: [String] = []
            var cursor: String?
            repeat {
                let page = try await store.identities(in: "g", PageRequest(limit: 3, after: cursor))
                seen += page.items.map(\.id)
                cursor = page.next
            } while cursor != nil
            #expect(seen == (0..<7).map { "i\($0)" })
            #expect(try await store.identities(in: "g", PageRequest(limit: 7)).next == nil)
            await expectError(kind: "invalid limit") { try await store.identities(in: "g", PageRequest(limit: 0)) }
            await expectError(kind: "invalid cursor") {
                try await store.identities(in: "g", PageRequest(limit: 5, after: "nonsense"))
            }
        }
    }

    @Test("A gallery's sightings are listed in order of enrolment, by camera and time")
    func sightings() async throws {
        try await withStore { store, _ in
            for number in 0..<6 {
                let time = number == 5 ? nil : Date(timeIntervalSince1970: Double(number))
                _ = try await store.enrol(
                    Enrolment(
                        identity: "i\(number % 2)", camera: "c\(number % 3)", capturedAt: time,
                        metadata: ["n": .number(Double(number))]),
                    in: "g")
            }
            func listed(_ change: (inout SightingListFilter) -> Void = { _ in }, _ page: PageRequest = .first)
                async throws -> [MetadataValue?]
            {
                var filter = SightingListFilter()
                change(&filter)
                return try await store.sightings(in: "g", filter, page).items.map { $0.metadata["n"] }
            }
            #expect(try await listed() == [0, 1, 2, 3, 4, 5])
            #expect(try await listed { $0.camera = "c1" } == [1, 4])
            #expect(try await listed { $0.capturedAfter = Date(timeIntervalSince1970: 2) } == [2, 3, 4])
            #expect(try await listed { $0.capturedBefore = Date(timeIntervalSince1970: 2) } == [0, 1])
            let first = try await store.sightings(in: "g", SightingListFilter(), PageRequest(limit: 4))
            #expect(try await listed({ _ in }, PageRequest(limit: 4, after: first.next)) == [4, 5])
            await expectError(.notFound(.gallery, "x")) { try await store.sightings(in: "x", SightingListFilter()) }
        }
    }

    @Test("A sighting that is changed is filtered as it is now, and its digest is true")
    func changed() async throws {
        let directory = try TemporaryDirectory()
        let store = try await directory.open()
        _ = try await store.createGallery("g")
        let vector = SightingEmbedding(model: "m", space: nil, vectors: ["rgb": [1, 0]])
        let id = try await store.enrol(
            Enrolment(identity: "a", camera: "north", metadata: ["lane": 1], embeddings: [vector]), in: "g"
        ).sighting.id
        func isFound(_ change: (inout QueryFilter) -> Void) async throws -> Bool {
            var query = GalleryQuery(embedding: vector)
            change(&query.filter)
            return try await !store.query(query, in: "g").matches.isEmpty
        }
        var patch = SightingPatch()
        (patch.camera, patch.capturedAt) = (.set("south"), .set(Date(timeIntervalSince1970: 50)))
        patch.metadata = .set(["lane": 2])
        let record = try await store.updateSighting(id, in: "g", patch)
        #expect(record.camera == "south" && record.metadata == ["lane": 2])
        #expect(try await isFound { $0.cameras = ["south"] })
        #expect(try await !isFound { $0.cameras = ["north"] })
        #expect(try await isFound { $0.capturedAfter = Date(timeIntervalSince1970: 49) })
        #expect(try await isFound { $0.metadata = ["lane": 2] })
        #expect(try await !isFound { $0.metadata = ["lane": 1] })
        patch = SightingPatch()
        patch.camera = .set(nil)
        #expect(try await store.updateSighting(id, in: "g", patch).camera == nil)
        #expect(try await !isFound { $0.cameras = ["south"] })
        #expect(try await store.sighting(id, in: "g").metadata == ["lane": 2])
        patch.camera = .set("")
        await expectError(kind: "invalid camera") { [patch] in try await store.updateSighting(id, in: "g", patch) }
        await expectError(.notFound(.sighting, "x")) {
            try await store.updateSighting("x", in: "g", SightingPatch())
        }
        try await store.close()
        try await expectSound(directory)
    }

    @Test("A page encodes its end as null")
    func pageJSON() async throws {
        try await withStore { store, _ in
            let json = String(decoding: try await JSONEncoder().encode(store.identities(in: "g")), as: UTF8.self)
            #expect(json.contains("\"next\":null"))
        }
    }
}
