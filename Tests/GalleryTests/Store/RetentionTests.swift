import Foundation
import Gallery
import Testing

struct RetentionTests {
    private func enrol(
        _ number: Int, _ store: GalleryStore, gallery: String = "g", day: Double? = nil, camera: String? = nil
    ) async throws -> String {
        let image = KeptImage(
            modality: "rgb", contentType: "image/png", bytes: Data("planted \(gallery) \(number)".utf8))
        let enrolment = Enrolment(
            identity: "i\(number % 2)", camera: camera,
            capturedAt: day.map { Date(timeIntervalSince1970: $0 * 86_400) },
            metadata: ["number": .number(Double(number))], images: [image], embeddings: [embedding([1, Float(number)])])
        return try await store.enrol(enrolment, in: gallery).sighting.id
    }

    private func found(_ store: GalleryStore, _ gallery: String = "g") async throws -> Set<String> {
        let query = GalleryQuery(embedding: embedding([1, 1]), limit: 100, grouping: .sighting)
        return Set(try await store.query(query, in: gallery).matches.map(\.sighting))
    }

    @Test("What a filter admits is erased at once, and its bytes go; the rest stays, and counts are true meanwhile")
    func byFilter() async throws {
        var configuration = GalleryConfiguration()
        configuration.pieceBytes = 1
        try await withStore(configuration) { store, directory in
            var ids: [String] = []
            for number in 0..<12 {
                ids.append(try await enrol(number, store, day: Double(number), camera: "c\(number % 3)"))
            }
            var filter = QueryFilter()
            filter.cameras = ["c1"]
            filter.capturedBefore = Date(timeIntervalSince1970: 9 * 86_400)
            filter.excludeMetadata = ["number": 4]
            #expect(try await store.eraseSightings(filter, in: "g") == 2)
            let left = Set(ids.indices.filter { $0 != 1 && $0 != 7 }.map { ids[$0] })
            #expect(try await found(store) == left)
            #expect(try await store.gallery("g").sightings == 10)
            #expect(try await store.identity("i1", in: "g").sightings == 4)
            #expect(try await store.identities(in: "g").items.map(\.sightings) == [6, 4])
            let gone = ids[7]
            await expectError(.notFound(.sighting, gone)) { try await store.sighting(gone, in: "g") }
            #expect(try await store.eraseSightings(filter, in: "g") == 0)
            try await store.waitUntilErased()
            if directory.engine == .sqlite {
                #expect(try !directory.contains(Data("planted g 7".utf8)))
                #expect(try directory.contains(Data("planted g 8".utf8)))
            }
            #expect(try await store.gallery("g").images == 10)
        }
    }

    @Test("A filter without a condition, and one that says nothing, erase nothing")
    func bad() async throws {
        try await withStore { store, _ in
            _ = try await enrol(1, store)
            await expectError(kind: "invalid filter") { try await store.eraseSightings(QueryFilter(), in: "g") }
            var filter = QueryFilter()
            filter.metadata = ["number": []]
            await expectError(kind: "invalid metadata.number") { [filter] in
                try await store.eraseSightings(filter, in: "g")
            }
            filter.metadata = ["number": 1]
            await expectError(.notFound(.gallery, "h")) { [filter] in try await store.eraseSightings(filter, in: "h") }
            #expect(try await found(store).count == 1)
        }
    }

    @Test("A gallery's retention erases by the day it was seen, or else enrolled, and no other gallery's")
    func retention() async throws {
        try await withStore { store, directory in
            _ = try await store.createGallery("h", retentionDays: 5)
            _ = try await store.createGallery("k")
            var ids: [String: [String]] = [:]
            for gallery in ["g", "h", "k"] {
                for number in 0..<10 {
                    ids[gallery, default: []].append(
                        try await enrol(number, store, gallery: gallery, day: Double(number)))
                }
            }
            let new = try await enrol(20, store, gallery: "h")
            var patch = GalleryPatch()
            patch.retentionDays = .set(2)
            #expect(try await store.updateGallery("g", patch).retentionDays == 2)
            let now = Date(timeIntervalSince1970: 10 * 86_400)
            // Of g days 0 to 7, of h 0 to 4; day 8 is exactly two days ago.
            #expect(try await store.eraseExpired(at: now) == 8 + 5)
            #expect(try await found(store, "g") == Set(ids["g"]?.suffix(2) ?? []))
            #expect(try await found(store, "h") == Set((ids["h"]?.suffix(5) ?? []) + [new]))
            #expect(try await found(store, "k").count == 10)
            patch.retentionDays = .set(nil)
            #expect(try await store.updateGallery("g", patch).retentionDays == nil)
            #expect(try await store.eraseExpired(at: now) == 0)
            try await store.close()
            let again = try await directory.open()
            #expect(try await found(again, "h").count == 6)
            #expect(try await again.gallery("h").gallery.retentionDays == 5)
            patch.retentionDays = .set(0)
            await expectError(kind: "invalid retention_days") { [patch] in try await again.updateGallery("g", patch) }
            try await again.close()
        }
    }
}
