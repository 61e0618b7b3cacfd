import Foundation
import Gallery
import Testing

struct ModelTests {
    @Test("A new model embeds what is enrolled, answers beside the old one, and the old one can be dropped")
    func swap() async throws {
        try await withStore { store, _ in
            let image = KeptImage(modality: "nir", contentType: "image/png", bytes: Data([7]))
            for identity in ["a", "b", "c"] {
                let enrolment = Enrolment(identity: identity, images: [image], embeddings: [embedding([1, 0])])
                _ = try await store.enrol(enrolment, in: "g")
            }
            let first = try await store.pendingBatch(model: "new", limit: 2).sightings
            #expect(first.map(\.gallery) == ["g", "g"] && first.allSatisfy { $0.images == [image] })
            let rest = try await store.pendingBatch(model: "new", limit: 2, after: try #require(first.last).key)
                .sightings
            #expect(rest.count == 1)
            for pending in first + rest {
                let vector = embedding([0, 0, 1], model: "new")
                try await store.addEmbeddings([vector], to: pending.sighting, in: pending.gallery)
                try await store.addEmbeddings([vector], to: pending.sighting, in: pending.gallery)
            }
            #expect(try await store.pendingBatch(model: "new", limit: 2).sightings.isEmpty)
            #expect(try await store.models().map(\.sightings) == [3, 3])
            let new = GalleryQuery(embedding: embedding([0, 0, 1], model: "new"))
            let old = GalleryQuery(embedding: embedding([1, 0]))
            #expect(try await store.query(new, in: "g").matches.map(\.identity) == ["a", "b", "c"])
            #expect(try await store.query(old, in: "g").matches.count == 3)
            try await store.deleteEmbeddings(model: "m")
            #expect(try await store.models().map(\.model) == ["new"])
            await expectError(.modelMismatch(requested: "m", available: ["new"])) {
                try await store.query(old, in: "g")
            }
        }
    }

    @Test("The vectors of a sighting that is not there go nowhere")
    func missing() async throws {
        try await withStore { store, _ in
            await expectError(.notFound(.sighting, "x")) {
                try await store.addEmbeddings([embedding([1])], to: "x", in: "g")
            }
        }
    }
}
