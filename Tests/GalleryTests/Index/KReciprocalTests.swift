import Foundation
import Gallery
import Similarity
import Testing

struct KReciprocalTests {
    private struct Case: Decodable {
        let k1: Int
        let k2: Int
        let vectors: [[Double]]
        let distances: [Double]
    }

    @Test("Distances are the reference's")
    func golden() throws {
        let url = try #require(
            Bundle.module.url(forResource: "rerank", withExtension: "json", subdirectory: "Fixtures"))
        let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
        #expect(cases.count == 4)
        for golden in cases {
            let units = golden.vectors.map { vector in
                let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return vector.map { $0 / norm }
            }
            let squared = units.map { a in
                units.map { b in max(2 - 2 * zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }, 0) }
            }
            var ranking = KReciprocal()
            (ranking.k1, ranking.k2) = (golden.k1, golden.k2)
            let found = ranking.distances(squared)
            #expect(found.count == golden.distances.count)
            #expect(zip(found, golden.distances).allSatisfy { abs($0 - $1) < 1e-9 })
        }
    }

    @Test(
        "Of what looks alike, that comes first whose neighbours are the query's; scores stay, and modalities may differ"
    )
    func search() async throws {
        try await withStore { store, _ in
            // Around the query's direction five of a, and b alone but a little nearer.
            let angles: [(String, Float)] = [
                ("b", 0.20), ("a", -0.22), ("a", -0.25), ("a", -0.21), ("a", -0.24), ("a", -0.23),
            ]
            for (identity, angle) in angles + (0..<30).map({ ("far", 1.5 + Float($0) * 0.01) }) {
                let values = [cos(angle), sin(angle)]
                _ = try await store.enrol(Enrolment(identity: identity, embeddings: [embedding(values)]), in: "g")
            }
            for (identity, angle) in [("a", Float(-0.05)), ("a", -0.1), ("a", -0.15)] {
                let values = [cos(angle), sin(angle)]
                let vectors = ["rgb": values, "tir": values.map { $0 * 2 }]
                let space = VectorSpace(combination: .sum, modalities: ["rgb", "nir", "tir"], partDimension: 2)
                let made = SightingEmbedding(model: "n", space: space, vectors: vectors)
                _ = try await store.enrol(Enrolment(identity: identity, embeddings: [made]), in: "g")
            }
            var query = GalleryQuery(embedding: embedding([1, 0]), limit: 3, grouping: .sighting)
            let plain = try await store.query(query, in: "g").matches
            #expect(plain.map(\.identity) == ["b", "a", "a"])
            query.rerank = 20
            let ranked = try await store.query(query, in: "g").matches
            #expect(ranked.count == 3 && ranked.allSatisfy { abs($0.score - cos(0.2)) < 0.02 })
            query.grouping = .identity
            let identities = try await store.query(query, in: "g").matches
            #expect(Set(identities.map(\.identity)) == ["a", "b", "far"])
            let partial = GalleryQuery(
                embedding: SightingEmbedding(model: "n", space: nil, vectors: ["tir": [1, 0]]), limit: 5,
                grouping: .sighting)
            var reranked = partial
            reranked.rerank = 5
            let (first, second) = (
                try await store.query(partial, in: "g").matches, try await store.query(reranked, in: "g").matches
            )
            #expect(Set(first.map(\.sighting)) == Set(second.map(\.sighting)) && first.count == 3)
            query.rerank = 1
            await expectError(kind: "invalid rerank") { [query] in try await store.query(query, in: "g") }
        }
    }
}
