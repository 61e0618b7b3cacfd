import Foundation
import Gallery
import Testing

/// Queries of several exemplars and scores of several sightings, against a full float32 scan.
struct CompoundSearchTests {
    private typealias World = IndexWorld
    private typealias Query = VectorIndex.Query

    private struct Answer: Equatable {
        let sighting: Int64
        let score: Float
        let counted: Int?
    }

    /// What a sighting belongs to and was seen by, where it is not what the world says.
    private struct Places {
        var identities: [Int64: Int64] = [:]
        var unseen: Set<Int64> = []

        func identity(_ sighting: World.Sighting) -> Int64 { identities[sighting.number] ?? sighting.identity }
        func camera(_ sighting: World.Sighting) -> String? { unseen.contains(sighting.number) ? nil : sighting.camera }
    }

    /// Some sightings are identities of their own, some of pairs, and some were seen by nobody knows which camera.
    private static func world(_ combination: VectorSpace.Combination, _ count: Int, seed: UInt64) -> (World, Places) {
        let world = World(combination, count, seed: seed)
        var places = Places()
        for number in Int64(0)..<Int64(count) where number % 9 == 4 {
            places.identities[number] = 1000 + number / 18
            world.index.move(sighting: number, to: 1000 + number / 18)
        }
        for number in Int64(0)..<Int64(count) where number % 7 == 2 {
            places.unseen.insert(number)
            world.index.describe(sighting: number, camera: nil, capturedAt: number % 100)
        }
        return (world, places)
    }

    private static func mean(_ scores: [Float]) -> Float {
        Float(scores.reduce(0.0) { $0 + Double($1) } / Double(scores.count))
    }

    /// The score of a group, by the definition.
    private static func score(
        _ members: [(sighting: World.Sighting, score: Float)], _ kind: IdentityScore, _ places: Places
    ) -> (Float, Int) {
        let falling = members.map(\.score).sorted(by: >)
        switch kind {
        case .best: return (falling[0], 1)
        case .meanOfBest(let count): return (mean(Array(falling.prefix(count))), min(count, falling.count))
        case .perCamera:
            let best = Dictionary(grouping: members) { places.camera($0.sighting) }.values.map {
                $0.map(\.score).reduce(-2, max)
            }
            return (mean(best.sorted(by: >)), best.count)
        }
    }

    private static func scan(
        _ world: World, _ places: Places, _ exemplars: [World.Sighting], _ query: Query,
        _ admits: (World.Sighting) -> Bool = { _ in true }
    ) -> [Answer] {
        let scored = world.sightings.filter(admits).compactMap { sighting in
            let each = exemplars.compactMap { world.score($0, sighting) }
            if each.isEmpty { return nil as (sighting: World.Sighting, score: Float)? }
            return (sighting, query.combination == .best ? each.reduce(-2, max) : mean(each))
        }
        let groups = Dictionary(grouping: scored) { one in
            query.grouping == .identity ? places.identity(one.sighting) : -1 - one.sighting.number
        }
        let answers = groups.values.map { members in
            let best = members.min { ($1.score, $0.sighting.number) < ($0.score, $1.sighting.number) }
            let (score, counted) = score(members, query.score, places)
            return Answer(
                sighting: best?.sighting.number ?? -1, score: score, counted: query.score == .best ? nil : counted)
        }
        return Array(
            answers.filter { $0.score >= query.threshold ?? -2 }
                .sorted { ($1.score, $0.sighting) < ($0.score, $1.sighting) }.prefix(query.limit))
    }

    private static func check(
        _ world: World, _ places: Places, _ exemplars: [World.Sighting], slices: Int = 3, least: Int = 1,
        _ change: (inout Query) -> Void, admits: (World.Sighting) -> Bool = { _ in true },
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var query = Query(vectors: exemplars[0].vectors)
        query.further = exemplars.dropFirst().map(\.vectors)
        change(&query)
        let found = try await world.search(query, slices: slices)
        let expected = scan(world, places, exemplars, query, admits)
        #expect(
            found.hits.map { Answer(sighting: $0.sighting, score: $0.score, counted: $0.counted) } == expected,
            sourceLocation: sourceLocation)
        #expect(expected.count >= least, sourceLocation: sourceLocation)
        let comparable = world.sightings.filter(admits).count { sighting in
            exemplars.contains { world.score($0, sighting) != nil }
        }
        #expect(
            found.rows == comparable && found.rows + found.incomparable == world.sightings.count(where: admits),
            sourceLocation: sourceLocation)
    }

    private static let scores: [IdentityScore] = [.best, .meanOfBest(1), .meanOfBest(3), .meanOfBest(100), .perCamera]

    @Test(
        "Several exemplars: a sighting's score is the best or the mean, bit for bit, whatever they are made from",
        arguments: ExemplarCombination.allCases, [VectorSpace.Combination.sum, .blocks])
    func exemplars(combination: ExemplarCombination, space: VectorSpace.Combination) async throws {
        let (world, places) = Self.world(space, 1400, seed: 21)
        for (place, sets) in [
            ["rgb", "rgb"], ["nir,rgb,tir", "nir,rgb,tir", "rgb", "tir", "nir,rgb"],
            World.sets + World.sets + ["tir", "rgb"],
            ["nir,tir"] + Array(repeating: "nir,rgb,tir", count: 9),
        ].enumerated() {
            let exemplars = sets.enumerated().map {
                world.query($1, fused: place == 1 && $0 == 1, seed: UInt64(100 + $0))
            }
            for (limit, grouping) in [(10, Grouping.sighting), (5, .identity), (1000, .sighting), (1000, .identity)] {
                try await Self.check(world, places, exemplars) { query in
                    (query.limit, query.grouping, query.combination) = (limit, grouping, combination)
                }
            }
            var filter = IndexFilter()
            (filter.cameras, filter.capturedBefore) = (["c1", "c3"], 70)
            try await Self.check(
                world, places, exemplars,
                { [filter] query in
                    (query.combination, query.filter, query.threshold) = (combination, filter, 0.02)
                },
                admits: { sighting in
                    ["c1", "c3"].contains(places.camera(sighting)) && sighting.time < 70
                })
        }
    }

    @Test(
        "Several sightings of an identity make its score, over all of them, bit for bit",
        arguments: scores, [VectorSpace.Combination.sum, .blocks])
    func identities(score: IdentityScore, space: VectorSpace.Combination) async throws {
        let (world, places) = Self.world(space, 1600, seed: 22)
        for set in ["nir,rgb,tir", "rgb", "nir,tir"] {
            for exemplars in [
                [world.query(set)], [world.query(set), world.query("rgb", seed: 7), world.query(set, seed: 8)],
            ] {
                for limit in [1, 10, 1000] {
                    try await Self.check(world, places, exemplars) { ($0.score, $0.limit) = (score, limit) }
                }
                try await Self.check(world, places, exemplars, slices: 1) {
                    ($0.score, $0.threshold, $0.combination) = (score, 0.05, .best)
                }
                var filter = IndexFilter()
                filter.excludedCameras = ["c2"]
                filter.excludedIdentities = [3, 4, 5]
                try await Self.check(
                    world, places, exemplars,
                    { [filter] in ($0.score, $0.filter, $0.limit) = (score, filter, 7) },
                    admits: {
                        places.camera($0) != "c2" && ![3, 4, 5].contains(places.identity($0))
                    })
            }
        }
    }

    @Test("Sightings that are like few others leave few to be read", arguments: scores)
    func pruning(score: IdentityScore) async throws {
        let (world, places) = Self.world(.sum, 6000, seed: 23)
        let exemplars = [world.query("nir,rgb,tir"), world.query("nir,rgb,tir", seed: 5)]
        var query = Query(vectors: exemplars[0].vectors, limit: 3)
        (query.further, query.score) = ([exemplars[1].vectors], score)
        let found = try await world.search(query)
        #expect(found.candidates < 400, "\(found.candidates)")
        try await Self.check(world, places, exemplars) { ($0.limit, $0.score) = (3, score) }
    }

    @Test("What the store no longer has counts for nothing", arguments: scores)
    func erasedMeanwhile(score: IdentityScore) async throws {
        let (made, places) = Self.world(.sum, 1500, seed: 24)
        var world = made
        let exemplars = [world.query("nir,rgb,tir"), world.query("rgb", seed: 3)]
        var query = Query(vectors: exemplars[0].vectors)
        (query.further, query.score) = ([exemplars[1].vectors], score)
        let first = Set(try await world.search(query).hits.map(\.sighting))
        // Still in the index.
        world.sightings.removeAll { first.contains($0.number) }
        let found = try await world.search(query)
        let expected = Self.scan(world, places, exemplars, query)
        #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score, counted: $0.counted) } == expected)
    }

    @Test("Beside other queries each finds what it finds alone")
    func together() async throws {
        let (world, _) = Self.world(.sum, 1300, seed: 25)
        var queries: [Query] = []
        for index in 0..<9 {
            var query = Query(vectors: world.query(World.sets[index % 7], seed: UInt64(index)).vectors)
            if index % 3 == 1 { query.further = [world.query("rgb", seed: 50).vectors] }
            if index % 3 == 2 { query.score = .meanOfBest(index) }
            queries.append(query)
        }
        let found = try await world.search(queries)
        for (query, outcome) in zip(queries, found) {
            #expect(try await world.search(query).hits == outcome.hits && !outcome.hits.isEmpty)
        }
    }
}
