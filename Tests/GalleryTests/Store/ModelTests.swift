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
            let additions = (first + rest).map {
                EmbeddingAddition(embedding([0, 0, 1], model: "new"), to: $0.sighting, in: $0.gallery)
            }
            #expect(try await store.addEmbeddings(additions) == 3)
            #expect(try await store.addEmbeddings(additions) == 0)
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

    @Test("What nobody said of a model is learned with the first vectors by modality, and whole ones are taken apart")
    func learning() async throws {
        try await withStore { store, directory async throws in
            let whole: [Float] = [0, 0, 0.6, 0, 0, 0.8]
            _ = try await store.enrol(
                Enrolment(identity: "a", embeddings: [embedding(whole, modalities: ["nir", "tir"])]), in: "g")
            let blocks = VectorSpace(combination: .blocks, modalities: ["rgb", "nir", "tir"], partDimension: 2)
            let nir = SightingEmbedding(model: "m", space: blocks, vectors: ["nir": [3, 1]])
            #expect(try await store.query(GalleryQuery(embedding: nir), in: "g").matches.isEmpty)
            _ = try await store.enrol(Enrolment(identity: "b", embeddings: [nir]), in: "g")
            for _ in 0..<2 {
                let answer = try await store.query(GalleryQuery(embedding: nir), in: "g")
                #expect(answer.matches.map(\.identity) == ["b", "a"] && answer.matches.map(\.score)[0] == 1)
            }
            try await store.close()
            let again = try await directory.open()
            #expect(try await again.query(GalleryQuery(embedding: nir), in: "g").matches.map(\.identity) == ["b", "a"])
            try await again.close()
        }
    }

    @Test("Vectors that cannot be taken apart are replaced, others are left alone")
    func replacement() async throws {
        try await withStore { store, _ async throws in
            let image = KeptImage(modality: "rgb", contentType: "image/png", bytes: Data([7]))
            let space = VectorSpace(combination: .sum, modalities: ["rgb", "nir", "tir"], partDimension: 2)
            for (identity, images) in [("a", [image]), ("b", [])] {
                _ = try await store.enrol(
                    Enrolment(identity: identity, images: images, embeddings: [embedding([1, 0])]), in: "g")
            }
            let rgb = SightingEmbedding(model: "m", space: space, vectors: ["rgb": [0, 2]])
            _ = try await store.enrol(Enrolment(identity: "c", images: [image], embeddings: [rgb]), in: "g")
            #expect(try await store.fusedCount(model: "m") == 1)
            let batch = try await store.fusedBatch(model: "m", limit: 10)
            #expect(batch.sightings.count == 1 && batch.next == nil && batch.sightings[0].images == [image])
            let new = batch.sightings.map { EmbeddingAddition(rgb, to: $0.sighting, in: $0.gallery) }
            #expect(try await store.replaceEmbeddings(new) == 1)
            #expect(try await store.replaceEmbeddings(new) == 0)
            #expect(try await store.fusedCount(model: "m") == 0)
            let answer = try await store.query(GalleryQuery(embedding: rgb), in: "g")
            #expect(answer.matches.map(\.identity) == ["a", "c"] && answer.statistics.incomparable == 1)
            #expect(try await store.models().map(\.sightings) == [3])
        }
    }

    @Test(
        "One vector a modality is embedded again where a model needs one for each set of them, and then compared by sets"
    )
    func sets() async throws {
        try await withStore { store, _ in
            let image = KeptImage(modality: "rgb", contentType: "image/jpeg", bytes: Data([1]))
            let space = VectorSpace(combination: .blocks, modalities: ["rgb", "nir"], partDimension: 2)
            func embedding(_ vectors: [String: [Float]]) -> SightingEmbedding {
                SightingEmbedding(model: "m", space: space, vectors: vectors)
            }
            let parts = embedding(["rgb": [1, 0], "nir": [0, 1]])
            let whole = embedding(["rgb": [0, 1], "nir": [1, 1], "nir+rgb": [1, 0, 0, 1]])
            _ = try await store.enrol(Enrolment(identity: "a", images: [image], embeddings: [parts]), in: "g")
            _ = try await store.enrol(Enrolment(identity: "b", images: [image], embeddings: [whole]), in: "g")
            #expect(try await store.fusedCount(model: "m") == 0)
            #expect(try await store.fusedCount(model: "m", orParts: true) == 1)
            let batch = try await store.fusedBatch(model: "m", orParts: true, limit: 10)
            let new = batch.sightings.map { EmbeddingAddition(whole, to: $0.sighting, in: $0.gallery) }
            #expect(try await store.replaceEmbeddings(new) == 1)
            #expect(try await store.fusedCount(model: "m", orParts: true) == 0)
            #expect(try await store.embedding(of: batch.sightings[0].sighting, in: "g", model: "m") == whole)
            for (asked, score) in [(["rgb": [0, 2]], 1), (["nir": [1, 0]], Float(0.5).squareRoot())]
                as [([String: [Float]], Float)]
            {
                let matches = try await store.query(GalleryQuery(embedding: embedding(asked)), in: "g").matches
                #expect(matches.count == 2 && matches.allSatisfy { abs($0.score - score) < 1e-6 }, "\(matches)")
            }
            let both = try await store.query(GalleryQuery(embedding: whole), in: "g").matches
            #expect(both.allSatisfy { abs($0.score - 1) < 1e-6 })
            let lacking = embedding(["rgb": [0, 1], "nir+rgb": [1, 0, 0, 1]])
            await expectError(kind: "invalid vectors") {
                try await store.enrol(Enrolment(identity: "c", embeddings: [lacking]), in: "g")
            }
        }
    }

    @Test("Where modalities lie in one space, the vector of a set is as long as any other, and is what is compared")
    func setsOfSums() async throws {
        try await withStore { store, _ in
            let space = VectorSpace(combination: .sum, modalities: ["rgb", "nir"], partDimension: 2)
            func embedding(_ vectors: [String: [Float]]) -> SightingEmbedding {
                SightingEmbedding(model: "m", space: space, vectors: vectors)
            }
            let whole = embedding(["rgb": [0, 1], "nir": [1, 1], "nir+rgb": [3, 0]])
            let id = try await store.enrol(Enrolment(identity: "a", embeddings: [whole]), in: "g").sighting.id
            #expect(try await store.embedding(of: id, in: "g", model: "m") == whole)
            #expect(try await store.fusedCount(model: "m", orParts: true) == 0)
            let asked: [([String: [Float]], Float)] = [
                (["rgb": [0, 2]], 1), (["nir": [1, 0]], Float(0.5).squareRoot()),
                (["rgb": [1, 0], "nir": [1, 0], "nir+rgb": [0, 1]], 0),
                // What shares no modality is compared as a whole.
                (["tir": [1, 0]], 1),
            ]
            for (vectors, score) in asked {
                let matches = try await store.query(GalleryQuery(embedding: embedding(vectors)), in: "g").matches
                #expect(matches.count == 1 && matches.allSatisfy { abs($0.score - score) < 1e-6 }, "\(matches)")
            }
            let wide = embedding(["rgb": [0, 1], "nir": [1, 1], "nir+rgb": [1, 0, 0, 1]])
            await #expect(throws: GalleryError.dimensionMismatch(model: "m", expected: 2, found: 4)) {
                try await store.enrol(Enrolment(identity: "b", embeddings: [wide]), in: "g")
            }
        }
    }

    @Test("The vectors of a sighting that is not there go nowhere")
    func missing() async throws {
        try await withStore { store, _ async throws in
            for gallery in ["g", "h"] {
                let addition = EmbeddingAddition(embedding([1]), to: "x", in: gallery)
                #expect(try await store.addEmbeddings([addition]) == 0)
            }
            #expect(try await store.models().isEmpty)
        }
    }
}
