import Foundation
import Gallery
import Testing

struct SeveralGalleriesTests {
    private static let names = ["g", "h", "empty", "k"]

    /// Random sightings over four galleries, of which one stays empty; identities of the same names in each.
    private func fill(_ store: GalleryStore, count: Int, seed: UInt64) async throws {
        for name in Self.names.dropFirst() { _ = try await store.createGallery(name) }
        var generator = SeededGenerator(seed: seed)
        for number in 0..<count {
            let name = ["g", "h", "k"][number % 3]
            _ = try await store.enrol(
                Enrolment(
                    identity: "i\(number % 7)", camera: number % 5 == 0 ? nil : "c\(number % 2)",
                    embeddings: [embedding(generator.unitVector(6), modalities: ["rgb"])]), in: name)
        }
    }

    private func exemplars(_ count: Int) -> [SightingEmbedding] {
        var generator = SeededGenerator(seed: 77)
        return (0..<count).map { _ in embedding(generator.unitVector(6), modalities: ["rgb"]) }
    }

    private func query(_ count: Int, _ change: (inout GalleryQuery) -> Void = { _ in }) -> GalleryQuery {
        let exemplars = exemplars(count)
        var query = GalleryQuery(embedding: exemplars[0])
        query.further = Array(exemplars.dropFirst())
        change(&query)
        return query
    }

    @Test("Several galleries answer what each answers alone, ranked together", arguments: [1, 3])
    func merged(count: Int) async throws {
        try await withStore { store, _ in
            try await fill(store, count: 60, seed: 5)
            for change in [
                { $0.grouping = .sighting }, { $0.threshold = 0.3 }, { $0.score = .meanOfBest(2) },
                { $0.score = .perCamera },
                { $0.filter.cameras = ["c1"] }, { $0.combination = .best },
            ] as [(inout GalleryQuery) -> Void] {
                let asked = query(count) {
                    change(&$0)
                    $0.limit = 9
                }
                var each: [Match] = []
                for name in Self.names {
                    each += try await store.query(asked, in: name).matches.map { match in
                        var match = match
                        match.gallery = name
                        return match
                    }
                }
                let expected = each.sorted { ($1.score, $0.sighting) < ($0.score, $1.sighting) }.prefix(9)
                let found = try await store.query(asked, over: Self.names)
                #expect(found.matches == Array(expected) && found.unknown == expected.isEmpty && !found.unknown)
            }
            let all = try await store.query(query(1), over: Self.names).statistics
            #expect(all.rows == 60 && all.incomparable == 0)
        }
    }

    @Test("Ranked anew together, several galleries are what one is that has all of their sightings")
    func reranked() async throws {
        try await withStore { store, _ in
            try await fill(store, count: 90, seed: 6)
            _ = try await store.createGallery("all")
            var generator = SeededGenerator(seed: 6)
            for number in 0..<90 {
                _ = try await store.enrol(
                    Enrolment(
                        identity: "\(["g", "h", "k"][number % 3])-i\(number % 7)",
                        embeddings: [embedding(generator.unitVector(6), modalities: ["rgb"])]), in: "all")
            }
            for (count, grouping) in [(1, Grouping.sighting), (1, .identity), (3, .sighting), (3, .identity)] {
                let asked = query(count) { ($0.rerank, $0.grouping) = (40, grouping) }
                let plain = try await store.query(query(count) { $0.grouping = grouping }, in: "all")
                let expected = try await store.query(asked, in: "all").matches
                let found = try await store.query(asked, over: Self.names).matches
                #expect(found.map { "\($0.gallery ?? "")-\($0.identity)" } == expected.map(\.identity))
                #expect(found.map(\.score) == expected.map(\.score))
                #expect(plain.matches.map(\.score) != expected.map(\.score))
            }
        }
    }

    @Test("A match tells its scores with each exemplar, which make its own")
    func explained() async throws {
        try await withStore { store, _ in
            try await fill(store, count: 30, seed: 7)
            for combination in ExemplarCombination.allCases {
                let asked = query(5) {
                    ($0.explainsExemplars, $0.explains, $0.combination) = (true, true, combination)
                    $0.grouping = .sighting
                }
                for match in try await store.query(asked, over: Self.names).matches {
                    let scores = try #require(match.byExemplar).compactMap { $0 }
                    #expect(scores.count == 5)
                    let mean = Float(scores.reduce(0.0) { $0 + Double($1) } / 5)
                    #expect(match.score == (combination == .best ? scores.max() : mean))
                    #expect(match.byModality == ["rgb": match.score])
                    for (exemplar, score) in zip(asked.exemplars, scores) {
                        var alone = GalleryQuery(embedding: exemplar, limit: 100, grouping: .sighting)
                        alone.filter.identities = [match.identity]
                        let found = try await store.query(alone, in: match.gallery ?? "").matches
                        #expect(found.first { $0.sighting == match.sighting }?.score == score)
                    }
                }
            }
        }
    }

    @Test("What cannot be asked is refused, by the field at fault")
    func refused() async throws {
        try await withStore { store, _ in
            let many = query(17)
            await expectError(kind: "invalid exemplars") { try await store.query(many, in: "g") }
            var mixed = query(1)
            mixed.further = [embedding([1, 2], model: "other")]
            await expectError(kind: "invalid exemplars") { [mixed] in try await store.query(mixed, in: "g") }
            for score in [IdentityScore.meanOfBest(0), .meanOfBest(101)] {
                let asked = query(1) { $0.score = score }
                await expectError(kind: "invalid score.mean_of_best") { try await store.query(asked, in: "g") }
            }
            for change in [{ $0.grouping = .sighting }, { $0.rerank = 10 }] as [(inout GalleryQuery) -> Void] {
                let asked = query(1) {
                    $0.score = .perCamera
                    change(&$0)
                }
                await expectError(kind: "invalid score") { try await store.query(asked, in: "g") }
            }
            let wide = query(1) { ($0.limit, $0.explainsExemplars) = (101, true) }
            await expectError(kind: "invalid limit") { try await store.query(wide, in: "g") }
            let plain = query(1)
            for names in [[], ["g", "g"], (0..<17).map { "g\($0)" }] {
                await expectError(kind: "invalid galleries") { try await store.query(plain, over: names) }
            }
            await expectError(.notFound(.gallery, "x")) { try await store.query(plain, over: ["g", "x"]) }
        }
    }
}
