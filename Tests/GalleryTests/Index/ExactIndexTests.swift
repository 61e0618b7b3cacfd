import Gallery
import Similarity
import Testing

struct ExactIndexTests {
    /// What to search: vectors by sighting (1, 2, …), each of an identity.
    struct Collection: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let vectors: [[Float]]
        let queries: [[Float]]

        var index: ExactIndex {
            let index = ExactIndex(dimension: vectors[0].count)
            for sighting in vectors.indices { index.append(entry(sighting)) }
            return index
        }

        func identity(_ sighting: Int) -> Int { sighting % 7 }

        func entry(_ sighting: Int) -> IndexEntry {
            IndexEntry(
                sighting: Int64(sighting + 1), identity: Int64(identity(sighting)), camera: "c\(sighting % 3)",
                capturedAt: sighting.isMultiple(of: 5) ? nil : Int64(sighting), vector: bytes(vectors[sighting]))
        }

        /// The answer by definition: score everything, sort, keep the best of each group.
        func scan(
            _ query: [Float], limit: Int, threshold: Float?, grouping: Grouping, where isEligible: (Int) -> Bool
        ) -> [Answer] {
            let prepared = SimilarityQuery(query)
            let scored = vectors.indices.filter(isEligible).map { sighting in
                Answer(sighting: Int64(sighting + 1), score: prepared.product(with: vectors[sighting]))
            }
            var seen: Set<Int> = []
            let ranked = scored.filter { $0.score >= threshold ?? -2 }
                .sorted { ($1.score, $0.sighting) < ($0.score, $1.sighting) }
                .filter { grouping == .sighting || seen.insert(identity(Int($0.sighting) - 1)).inserted }
            return Array(ranked.prefix(limit))
        }
    }

    struct Answer: Equatable {
        let sighting: Int64
        let score: Float
    }

    static let collections: [Collection] = {
        var generator = SeededGenerator(seed: 1)
        let centres = (0..<5).map { _ in generator.unitVector(96) }
        let random = (0..<1500).map { _ in generator.unitVector(40) }
        let clustered = (0..<2500).map { generator.vector(near: centres[$0 % 5], spread: 0.2) }
        let duplicates = (0..<1200).map { random[$0 % 3] }
        // All within a hair of one another, so that int8 codes cannot tell them apart.
        let adversarial = (0..<1100).map { _ in generator.vector(near: centres[0], spread: 1e-4) }
        let tiny = (0..<9).map { _ in generator.unitVector(1) }
        return [
            Collection(testDescription: "random", vectors: random, queries: [random[3], generator.unitVector(40)]),
            Collection(testDescription: "clustered", vectors: clustered, queries: [centres[2], clustered[9]]),
            Collection(testDescription: "duplicates", vectors: duplicates, queries: [random[0], random[5]]),
            Collection(testDescription: "adversarial", vectors: adversarial, queries: [centres[0], adversarial[7]]),
            Collection(testDescription: "one-dimensional", vectors: tiny, queries: [tiny[0]]),
        ]
    }()

    private func answers(_ outcome: ExactSearch.Outcome) -> [Answer] {
        outcome.hits.map { Answer(sighting: $0.sighting, score: $0.score) }
    }

    @Test("A search equals a full float32 scan, bit for bit", arguments: collections, [Grouping.identity, .sighting])
    func equalsScan(collection: Collection, grouping: Grouping) {
        let index = collection.index
        for query in collection.queries {
            for limit in [1, 2, 7, 50, collection.vectors.count] {
                for threshold: Float? in [nil, -0.5, 0.3, 0.95] {
                    let found = index.search(
                        SimilarityQuery(query), modalities: "rgb", filter: IndexFilter(), limit: limit,
                        threshold: threshold, grouping: grouping
                    ).run()
                    let expected = collection.scan(
                        query, limit: limit, threshold: threshold, grouping: grouping, where: { _ in true })
                    #expect(answers(found) == expected)
                }
            }
        }
    }

    @Test("A filtered search equals a scan over what the filter admits", arguments: collections)
    func equalsFilteredScan(collection: Collection) {
        let index = collection.index
        var filters: [(filter: IndexFilter, admits: (Int) -> Bool)] = []
        func add(_ admits: @escaping (Int) -> Bool, _ change: (inout IndexFilter) -> Void) {
            var filter = IndexFilter()
            change(&filter)
            filters.append((filter, admits))
        }
        add({ $0 % 3 != 2 }) { $0.cameras = ["c0", "c1", "nowhere"] }
        add({ $0 % 3 != 1 }) { $0.excludedCameras = ["c1", "nowhere"] }
        add({ !$0.isMultiple(of: 5) && $0 >= 4 && $0 < 90 }) { ($0.capturedFrom, $0.capturedBefore) = (4, 90) }
        add({ [2, 6].contains($0 % 7) }) { $0.identities = [2, 6, 99] }
        add({ [0, 3, 8].contains($0) }) { $0.sightings = [1, 4, 9] }
        add({ _ in false }) { $0.identities = [] }
        for (filter, admits) in filters {
            for grouping in [Grouping.identity, .sighting] {
                let found = index.search(
                    SimilarityQuery(collection.queries[0]), modalities: "rgb", filter: filter, limit: 5,
                    threshold: nil, grouping: grouping
                ).run()
                let expected = collection.scan(
                    collection.queries[0], limit: 5, threshold: nil, grouping: grouping, where: admits)
                #expect(answers(found) == expected)
            }
        }
    }

    @Test("Of ten sightings each of 250 identities, the first pass leaves few but the ten of the nearest identity")
    func prunes() {
        var generator = SeededGenerator(seed: 2)
        let centres = (0..<250).map { _ in generator.unitVector(512) }
        let vectors = (0..<2500).map { generator.vector(near: centres[$0 % 250], spread: 0.5) }
        let collection = Collection(testDescription: "identities", vectors: vectors, queries: [centres[40]])
        let outcome = collection.index.search(
            SimilarityQuery(centres[40]), modalities: "rgb", filter: IndexFilter(), limit: 10, threshold: nil,
            grouping: .sighting
        ).run()
        #expect(outcome.rows == 2500)
        #expect(outcome.candidates < 25)
        #expect(outcome.hits.allSatisfy { ($0.sighting - 1) % 250 == 40 })
    }

    @Test("After deletions a search equals a scan over the rest, and the dead rows are compacted away")
    func removal() {
        let collection = Self.collections[1]
        let index = collection.index
        index.remove(sightings: Set((1...2000).map(Int64.init)))
        index.remove(identity: 3)
        let remaining = (2000..<2500).filter { collection.identity($0) != 3 }
        #expect(index.count == remaining.count)
        #expect(index.occupied < 1000)
        let found = index.search(
            SimilarityQuery(collection.queries[0]), modalities: "rgb", filter: IndexFilter(), limit: 1000,
            threshold: nil, grouping: .sighting
        ).run()
        let expected = collection.scan(
            collection.queries[0], limit: 1000, threshold: nil, grouping: .sighting, where: remaining.contains)
        #expect(answers(found) == expected)
    }

    @Test("An identity that was deleted and enrolled again is found as a new one")
    func identityAgain() {
        let collection = Self.collections[0]
        let index = collection.index
        index.remove(identity: 0)
        index.append(collection.entry(7))
        let found = index.search(
            SimilarityQuery(collection.vectors[7]), modalities: "rgb", filter: IndexFilter(), limit: 7,
            threshold: nil, grouping: .identity
        ).run()
        #expect(found.hits.count == 7)
        #expect(found.hits.first?.sighting == 8)
    }

    @Test("A search sees the moment it was made at, whatever is appended or deleted before it runs")
    func snapshot() {
        let collection = Self.collections[0]
        let index = collection.index
        let search = index.search(
            SimilarityQuery(collection.queries[0]), modalities: "rgb", filter: IndexFilter(), limit: 1500,
            threshold: nil, grouping: .sighting)
        let before = answers(search.run())
        index.remove(sightings: Set((1...1400).map(Int64.init)))
        for sighting in 0..<100 {
            var entry = collection.entry(sighting)
            entry.sighting += 5000
            index.append(entry)
        }
        #expect(answers(search.run()) == before)
        #expect(index.count == 200)
    }
}
