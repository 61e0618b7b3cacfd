import Foundation
import Gallery
import Similarity
import Testing

struct ModalityComparisonTests {
    private static let sets = ["nir,rgb,tir", "nir,rgb", "rgb,tir", "nir,tir", "rgb", "nir", "tir"]

    private struct Sighting {
        let main: String
        /// By set of modalities.
        let vectors: [String: [Float]]
    }

    private static func names(_ key: String) -> Set<Substring> { Set(key.split(separator: ",")) }

    /// Sightings of every set of modalities, some of them with their main vector only.
    private static func sightings(_ generator: inout SeededGenerator, dimension: Int) -> [Sighting] {
        (0..<600).map { number in
            let main = sets[number % sets.count]
            let has = number.isMultiple(of: 5) ? [main] : sets.filter { names($0).isSubset(of: names(main)) }
            return Sighting(
                main: main, vectors: Dictionary(uniqueKeysWithValues: has.map { ($0, generator.unitVector(dimension)) })
            )
        }
    }

    private static func index(_ sightings: [Sighting], dimension: Int) -> ExactIndex {
        let index = ExactIndex(dimension: dimension)
        for (number, sighting) in sightings.enumerated() {
            for (key, vector) in sighting.vectors.sorted(by: { a, b in a.key == sighting.main && b.key != sighting.main
            }) {
                index.append(
                    IndexEntry(
                        sighting: Int64(number), identity: Int64(number % 11), modalities: key,
                        isMain: key == sighting.main, vector: bytes(vector)))
            }
        }
        return index
    }

    /// By definition: what both sides have in common if both have a vector of just that, else the main vectors.
    private static func score(_ sighting: Sighting, _ own: String, _ queries: [String: [Float]]) -> Float {
        let shared = names(own).intersection(names(sighting.main))
        let key = sets.first { names($0) == shared } ?? ""
        var (a, b) = (queries[own] ?? [], sighting.vectors[sighting.main] ?? [])
        if let query = queries[key], let vector = sighting.vectors[key] { (a, b) = (query, vector) }
        return zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    @Test(
        "Each sighting is compared once, by the modalities that it shares with the query", arguments: sets,
        [true, false])
    func shared(own: String, hasSubsets: Bool) {
        var generator = SeededGenerator(seed: 8)
        let sightings = Self.sightings(&generator, dimension: 24)
        let index = Self.index(sightings, dimension: 24)
        index.remove(sightings: [3, 4, 5, 597])
        let has = Self.sets.filter { $0 == own || hasSubsets && Self.names($0).isSubset(of: Self.names(own)) }
        let queries = Dictionary(uniqueKeysWithValues: has.map { ($0, generator.unitVector(24)) })
        let live = sightings.indices.filter { ![3, 4, 5, 597].contains($0) }
        let expected = live.map { (sighting: Int64($0), score: Self.score(sightings[$0], own, queries)) }
            .sorted { $0.score > $1.score }
        for limit in [5, 1000] {
            let outcome = index.search(
                SimilarityQuery(queries[own] ?? []), modalities: own, subsets: queries.mapValues(SimilarityQuery.init),
                filter: IndexFilter(), limit: limit, threshold: nil, grouping: .sighting
            ).run()
            #expect(outcome.rows == live.count)
            #expect(outcome.hits.map(\.sighting) == expected.prefix(limit).map(\.sighting))
            #expect(zip(outcome.hits, expected).allSatisfy { abs($0.score - $1.score) < 1e-5 })
        }
        let grouped = index.search(
            SimilarityQuery(queries[own] ?? []), modalities: own, subsets: queries.mapValues(SimilarityQuery.init),
            filter: IndexFilter(), limit: 20, threshold: nil, grouping: .identity
        ).run()
        #expect(grouped.hits.map { $0.sighting % 11 }.count == 11)
        #expect(grouped.hits.first?.sighting == expected.first?.sighting)
    }
}
