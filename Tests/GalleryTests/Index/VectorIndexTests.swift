import Foundation
import Gallery
import Testing

/// A search against a full float32 scan.
struct VectorIndexTests {
    private typealias World = IndexWorld

    private struct Answer: Equatable {
        let sighting: Int64
        let score: Float
    }

    private static func scan(
        _ query: World.Sighting, _ world: World, limit: Int, grouping: Grouping, threshold: Float = -2,
        _ admits: (World.Sighting) -> Bool = { _ in true }
    ) -> [Answer] {
        let scored = world.sightings.filter(admits).compactMap { sighting in
            world.score(query, sighting).map { (sighting, $0) }
        }
        let sorted = scored.filter { $0.1 >= threshold }.sorted {
            $0.1 != $1.1 ? $0.1 > $1.1 : $0.0.number < $1.0.number
        }
        var seen: Set<Int64> = []
        let grouped = sorted.filter { grouping == .sighting || seen.insert($0.0.identity).inserted }
        return grouped.prefix(limit).map { Answer(sighting: $0.0.number, score: $0.1) }
    }

    @Test(
        "Every set of modalities is compared with every other, bit for bit as a float32 scan would",
        arguments: IndexWorld.sets,
        [VectorSpace.Combination.sum, .blocks])
    func everyPair(set: String, combination: VectorSpace.Combination) async throws {
        let world = World(combination, 2300, seed: 3)
        for fused in [false, true] {
            let query = world.query(set, fused: fused)
            for (limit, grouping) in [(10, Grouping.sighting), (5, .identity), (1000, .sighting)] {
                let found = try await world.search(
                    VectorIndex.Query(vectors: query.vectors, limit: limit, grouping: grouping))
                let expected = Self.scan(query, world, limit: limit, grouping: grouping)
                #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected)
                let comparable = world.sightings.count { world.score(query, $0) != nil }
                #expect(found.rows == comparable && found.incomparable == world.sightings.count - comparable)
            }
        }
    }

    @Test("A sighting that comes again takes the place of what it was, and an index tells all that it holds")
    func again() async throws {
        let (world, other) = (World(.sum, 300, seed: 9), World(.sum, 300, seed: 9))
        let before = world.index.contents
        #expect(before.count == 300 && before == other.index.contents)
        for sighting in world.sightings.reversed() {
            world.index.append(
                VectorIndex.Entry(
                    sighting: sighting.number, identity: 1000, camera: "d", vectors: sighting.vectors))
        }
        #expect(world.index.count == 300)
        var filter = IndexFilter()
        (filter.identities, filter.cameras) = ([1000], ["d"])
        let query = VectorIndex.Query(
            vectors: world.query("rgb").vectors, filter: filter, limit: 1000, grouping: .sighting)
        let found = try await world.search(query)
        #expect(Set(found.hits.map(\.sighting)).count == found.hits.count && found.rows == found.hits.count)
        #expect(Set(world.index.contents).isDisjoint(with: before))
        for sighting in world.sightings {
            world.index.append(
                VectorIndex.Entry(
                    sighting: sighting.number, identity: sighting.identity, camera: sighting.camera,
                    capturedAt: sighting.time, vectors: sighting.vectors))
        }
        #expect(world.index.contents == before)
        other.index.remove(sighting: 7)
        #expect(other.index.contents.count == 299)
    }

    @Test(
        "A filter and a threshold leave what a filtered scan finds", arguments: [VectorSpace.Combination.sum, .blocks])
    func filters(combination: VectorSpace.Combination) async throws {
        let world = World(combination, 1500, seed: 4)
        let query = world.query("nir,rgb,tir")
        var filter = IndexFilter()
        (filter.cameras, filter.excludedCameras) = (["c1", "c2", "c9"], ["c2"])
        (filter.capturedFrom, filter.capturedBefore) = (10, 90)
        filter.identities = Set(0..<30)
        let found = try await world.search(
            VectorIndex.Query(vectors: query.vectors, filter: filter, limit: 20, threshold: 0.1, grouping: .sighting))
        let expected = Self.scan(query, world, limit: 20, grouping: .sighting, threshold: 0.1) {
            $0.camera == "c1" && (10..<90).contains($0.time) && $0.identity < 30
        }
        #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected && !expected.isEmpty)
        filter.sightings = [expected[0].sighting]
        let one = try await world.search(VectorIndex.Query(vectors: query.vectors, filter: filter))
        #expect(one.hits.map(\.sighting) == [expected[0].sighting] && one.rows == 1)
    }

    @Test(
        "Few sightings or identities, named or left out, with other conditions: what a filtered scan finds",
        arguments: [VectorSpace.Combination.sum, .blocks])
    func selections(combination: VectorSpace.Combination) async throws {
        let world = World(combination, 4000, seed: 12)
        for sighting in stride(from: 3, to: 4000, by: 17) { world.index.remove(sighting: Int64(sighting)) }
        var (few, named, others) = (IndexFilter(), IndexFilter(), IndexFilter())
        few.sightings = Set((0..<4000).filter { $0 % 37 < 3 })
        few.cameras = ["c1", "c2", "c4"]
        (named.identities, named.excludedSightings) = ([3, 5, 40, 400], [7, 20, 103, 350])
        others.excludedIdentities = Set(2..<41)
        for set in World.sets {
            let query = world.query(set)
            for (place, filter) in [few, named, others].enumerated() {
                let found = try await world.search(
                    VectorIndex.Query(vectors: query.vectors, filter: filter, limit: 25, grouping: .sighting))
                let expected = Self.scan(query, world, limit: 25, grouping: .sighting) { sighting in
                    if sighting.number % 17 == 3 { return false }
                    return switch place {
                    case 0: sighting.number % 37 < 3 && ["c1", "c2", "c4"].contains(sighting.camera)
                    case 1: [3, 5, 40].contains(sighting.identity) && ![7, 20, 103, 350].contains(sighting.number)
                    default: sighting.identity < 2
                    }
                }
                #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected)
                #expect(!expected.isEmpty)
            }
        }
    }

    @Test(
        "What is deleted is not found, whole identities too, and memory comes back",
        arguments: [VectorSpace.Combination.sum, .blocks])
    func deletion(combination: VectorSpace.Combination) async throws {
        var world = World(combination, 9000, seed: 5)
        let before = world.index.memoryBytes
        world.index.remove(identity: 7)
        world.sightings.removeAll { $0.identity == 7 }
        for sighting in world.sightings where sighting.number % 10 != 3 {
            world.index.remove(sighting: sighting.number)
        }
        world.index.remove(sighting: 1)
        world.sightings.removeAll { $0.number % 10 != 3 }
        #expect(world.index.count == world.sightings.count)
        for set in ["nir,rgb,tir", "rgb"] {
            let query = world.query(set)
            let found = try await world.search(
                VectorIndex.Query(vectors: query.vectors, limit: 50, grouping: .sighting))
            let expected = Self.scan(query, world, limit: 50, grouping: .sighting)
            #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected)
        }
        #expect(world.index.memoryBytes <= before)
    }

    @Test("What the store no longer has makes room for what comes next")
    func erasedMeanwhile() async throws {
        var world = World(.sum, 1200, seed: 6)
        let query = world.query("nir,rgb,tir")
        let first = Self.scan(query, world, limit: 30, grouping: .sighting).map(\.sighting)
        // Still in the index.
        world.sightings.removeAll { first.contains($0.number) }
        let found = try await world.search(
            VectorIndex.Query(vectors: query.vectors, limit: 10, grouping: .sighting))
        let expected = Self.scan(query, world, limit: 10, grouping: .sighting)
        #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected && expected.count == 10)
    }

    @Test("However many slices, the answer is the same; few candidates are read", arguments: [1, 2, 7])
    func slices(count: Int) async throws {
        let world = World(.sum, 3000, seed: 7)
        let query = world.query("nir,rgb,tir")
        let found = try await world.search(
            VectorIndex.Query(vectors: query.vectors, limit: 5, grouping: .sighting), slices: count)
        let expected = Self.scan(query, world, limit: 5, grouping: .sighting)
        #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected)
        #expect(found.candidates < 60, "\(found.candidates)")
    }

    @Test("Vectors without a length, or of another, are refused")
    func refusal() {
        let space = VectorSpace(combination: .sum, modalities: ["rgb", "nir"], partDimension: 2)
        let index = VectorIndex(space: space)
        for (first, second) in [
            ([0, 0], [1, 0]), ([1, 0], [-1, 0]), ([.nan, 0], [1, 0]), ([1, 0, 0], [1, 0, 0]),
        ] as [([Float], [Float])] {
            let vectors = [
                IndexVector(modalities: "rgb", bytes: bytes(first)),
                IndexVector(modalities: "nir", bytes: bytes(second)),
            ]
            #expect(!index.append(VectorIndex.Entry(sighting: 1, identity: 1, vectors: vectors)), "\(first)")
        }
        #expect(index.count == 0)
    }

    @Test(
        "Queries of all kinds, searched together, find what each finds alone",
        arguments: [VectorSpace.Combination.sum, .blocks])
    func together(combination: VectorSpace.Combination) async throws {
        let world = World(combination, 2600, seed: 8)
        var queries: [VectorIndex.Query] = []
        for (index, set) in (World.sets + World.sets + ["rgb", "rgb", "rgb", "nir,rgb,tir", "nir,rgb,tir"]).enumerated()
        {
            var query = VectorIndex.Query(
                vectors: world.query(set, fused: index % 5 == 4, seed: UInt64(index)).vectors)
            (query.limit, query.grouping) = (index % 2 == 0 ? 7 : 40, index % 3 == 0 ? .sighting : .identity)
            if index % 4 == 1 { query.filter.cameras = ["c1", "c3"] }
            queries.append(query)
        }
        let found = try await world.search(queries)
        for (query, outcome) in zip(queries, found) {
            let alone = try await world.search(query)
            #expect(
                outcome.hits == alone.hits && outcome.rows == alone.rows && outcome.incomparable == alone.incomparable)
            #expect(!outcome.hits.isEmpty)
        }
    }
}
