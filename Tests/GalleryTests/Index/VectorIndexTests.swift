import Foundation
import Gallery
import Similarity
import Testing
import Threads

/// A search against a full float32 scan that knows nothing of codes and bounds.
struct VectorIndexTests {
    private static let dimension = 24
    private static let threads = WorkerThreads("index tests", count: 3)
    private static let sets = ["nir,rgb,tir", "nir,rgb", "rgb,tir", "nir,tir", "rgb", "nir", "tir"]

    private struct Sighting {
        let number: Int64
        let identity: Int64
        let camera: String
        let time: Int64
        let vectors: [IndexVector]

        var names: [String] {
            hasSets
                ? vectors.map(\.modalities).filter { !$0.contains(",") }
                : vectors.flatMap { $0.modalities.split(separator: ",").map(String.init) }
        }
        var isFused: Bool { vectors.count == 1 && vectors[0].modalities.contains(",") }
        var hasSets: Bool { vectors.count > 1 && vectors.contains { $0.modalities.contains(",") } }
    }

    /// What the store would have.
    private struct Source: VectorSource {
        var sightings: [Int64: [IndexVector]]

        func vectors(of numbers: [Int64]) -> [Int64: [IndexVector]] {
            sightings.filter { numbers.contains($0.key) }
        }
    }

    private struct World {
        let space: VectorSpace
        var sightings: [Sighting]
        let index: VectorIndex

        var source: Source {
            Source(sightings: Dictionary(uniqueKeysWithValues: sightings.map { ($0.number, $0.vectors) }))
        }
    }

    private static func vectors(
        _ set: String, _ space: VectorSpace, fused: Bool, _ generator: inout SeededGenerator
    ) -> [IndexVector] {
        let names = set.split(separator: ",").map(String.init)
        if fused && names.count > 1 {
            let count = space.combination == .sum ? dimension : dimension * names.count
            return [IndexVector(modalities: set, bytes: bytes(generator.unitVector(count)))]
        }
        if space.combination == .blocks && Bool.random(using: &generator) {
            return (1..<(1 << names.count)).map { bits in
                let chosen = names.indices.filter { bits & 1 << $0 != 0 }.map { names[$0] }
                let vector = generator.unitVector(dimension * chosen.count).map { $0 * Float(bits) }
                return IndexVector(modalities: chosen.joined(separator: ","), bytes: bytes(vector))
            }
        }
        return names.map { name in
            let length = Float.random(in: 0.2..<3, using: &generator)
            return IndexVector(modalities: name, bytes: bytes(generator.unitVector(dimension).map { $0 * length }))
        }
    }

    private static func world(_ combination: VectorSpace.Combination, _ count: Int, seed: UInt64) -> World {
        var generator = SeededGenerator(seed: seed)
        // Not in the order of their names.
        let space = VectorSpace(combination: combination, modalities: ["tir", "rgb", "nir"], partDimension: dimension)
        let index = VectorIndex(space: space)
        var sightings: [Sighting] = []
        for number in 0..<count {
            // Some are the same to the bit: ties.
            let same = number % 13 == 5 ? sightings.randomElement(using: &generator)?.vectors : nil
            let set = number % 3 == 0 ? sets[0] : sets.randomElement(using: &generator) ?? "rgb"
            let sighting = Sighting(
                number: Int64(number), identity: Int64(number * 7 % 41), camera: "c\(number % 5)",
                time: Int64(number % 100),
                vectors: same ?? vectors(set, space, fused: number % 11 == 0, &generator))
            sightings.append(sighting)
            let entry = VectorIndex.Entry(
                sighting: sighting.number, identity: sighting.identity, camera: sighting.camera,
                capturedAt: sighting.time, vectors: sighting.vectors)
            #expect(index.append(entry))
        }
        return World(space: space, sightings: sightings, index: index)
    }

    /// By definition, without the library's own way of combining. nil if there is nothing to compare.
    private static func score(_ query: Sighting, _ sighting: Sighting, _ space: VectorSpace) -> Float? {
        let shared = query.names.filter(sighting.names.contains)
        if query.isFused || sighting.isFused {
            guard query.names.sorted() == sighting.names.sorted() else { return nil }
        }
        if shared.isEmpty && space.combination == .blocks { return nil }
        let unit = { (side: Sighting) -> [Float] in
            if side.isFused { return values(side.vectors[0].bytes) }
            let names = shared.isEmpty ? side.names : shared
            let parts = { (name: String) in values(side.vectors.first { $0.modalities == name }?.bytes ?? Data()) }
            var combined = [Float](repeating: 0, count: dimension)
            if side.hasSets {
                combined = parts(names.sorted().joined(separator: ","))
            } else if space.combination == .sum {
                for name in names.sorted() { combined = zip(combined, parts(name)).map(+) }
            } else {
                combined = space.modalities.filter(names.contains).flatMap(parts)
            }
            let norm = combined.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            return abs(norm - 1) <= 1e-6 ? combined : combined.map { Float(Double($0) / norm) }
        }
        return SimilarityQuery(unit(query)).product(with: unit(sighting))
    }

    private static func values(_ data: Data) -> [Float] {
        stride(from: 0, to: data.count, by: 4).map { offset in
            Float(bitPattern: data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) })
        }
    }

    private struct Answer: Equatable {
        let sighting: Int64
        let score: Float
    }

    private static func scan(
        _ query: Sighting, _ world: World, limit: Int, grouping: Grouping, threshold: Float = -2,
        _ admits: (Sighting) -> Bool = { _ in true }
    ) -> [Answer] {
        let scored = world.sightings.filter(admits).compactMap { sighting in
            score(query, sighting, world.space).map { (sighting, $0) }
        }
        let sorted = scored.filter { $0.1 >= threshold }.sorted {
            $0.1 != $1.1 ? $0.1 > $1.1 : $0.0.number < $1.0.number
        }
        var seen: Set<Int64> = []
        let grouped = sorted.filter { grouping == .sighting || seen.insert($0.0.identity).inserted }
        return grouped.prefix(limit).map { Answer(sighting: $0.0.number, score: $0.1) }
    }

    private static func query(_ set: String, _ world: World, fused: Bool = false, seed: UInt64 = 99) -> Sighting {
        var generator = SeededGenerator(seed: seed)
        return Sighting(
            number: -1, identity: -1, camera: "", time: 0, vectors: vectors(set, world.space, fused: fused, &generator))
    }

    private static func search(_ world: World, _ query: VectorIndex.Query, slices: Int = 3) async throws
        -> VectorIndex.Outcome
    {
        try await world.index.search([query], source: world.source, threads: threads, slices: slices)[0]
    }

    @Test(
        "Every set of modalities is compared with every other, bit for bit as a float32 scan would", arguments: sets,
        [VectorSpace.Combination.sum, .blocks])
    func everyPair(set: String, combination: VectorSpace.Combination) async throws {
        let world = Self.world(combination, 2300, seed: 3)
        for fused in [false, true] {
            let query = Self.query(set, world, fused: fused)
            for (limit, grouping) in [(10, Grouping.sighting), (5, .identity), (1000, .sighting)] {
                let found = try await Self.search(
                    world, VectorIndex.Query(vectors: query.vectors, limit: limit, grouping: grouping))
                let expected = Self.scan(query, world, limit: limit, grouping: grouping)
                #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected)
                let comparable = world.sightings.count { Self.score(query, $0, world.space) != nil }
                #expect(found.rows == comparable && found.incomparable == world.sightings.count - comparable)
            }
        }
    }

    @Test(
        "A filter and a threshold leave what a filtered scan finds", arguments: [VectorSpace.Combination.sum, .blocks])
    func filters(combination: VectorSpace.Combination) async throws {
        let world = Self.world(combination, 1500, seed: 4)
        let query = Self.query("nir,rgb,tir", world)
        var filter = IndexFilter()
        (filter.cameras, filter.excludedCameras) = (["c1", "c2", "c9"], ["c2"])
        (filter.capturedFrom, filter.capturedBefore) = (10, 90)
        filter.identities = Set(0..<30)
        let found = try await Self.search(
            world,
            VectorIndex.Query(vectors: query.vectors, filter: filter, limit: 20, threshold: 0.1, grouping: .sighting))
        let expected = Self.scan(query, world, limit: 20, grouping: .sighting, threshold: 0.1) {
            $0.camera == "c1" && (10..<90).contains($0.time) && $0.identity < 30
        }
        #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected && !expected.isEmpty)
        filter.sightings = [expected[0].sighting]
        let one = try await Self.search(world, VectorIndex.Query(vectors: query.vectors, filter: filter))
        #expect(one.hits.map(\.sighting) == [expected[0].sighting] && one.rows == 1)
    }

    @Test(
        "Few sightings or identities, named or left out, with other conditions: what a filtered scan finds",
        arguments: [VectorSpace.Combination.sum, .blocks])
    func selections(combination: VectorSpace.Combination) async throws {
        let world = Self.world(combination, 4000, seed: 12)
        for sighting in stride(from: 3, to: 4000, by: 17) { world.index.remove(sighting: Int64(sighting)) }
        var (few, named, others) = (IndexFilter(), IndexFilter(), IndexFilter())
        few.sightings = Set((0..<4000).filter { $0 % 37 < 3 })
        few.cameras = ["c1", "c2", "c4"]
        (named.identities, named.excludedSightings) = ([3, 5, 40, 400], [7, 20, 103, 350])
        others.excludedIdentities = Set(2..<41)
        for set in Self.sets {
            let query = Self.query(set, world)
            for (place, filter) in [few, named, others].enumerated() {
                let found = try await Self.search(
                    world, VectorIndex.Query(vectors: query.vectors, filter: filter, limit: 25, grouping: .sighting))
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
        var world = Self.world(combination, 9000, seed: 5)
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
            let query = Self.query(set, world)
            let found = try await Self.search(
                world, VectorIndex.Query(vectors: query.vectors, limit: 50, grouping: .sighting))
            let expected = Self.scan(query, world, limit: 50, grouping: .sighting)
            #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected)
        }
        #expect(world.index.memoryBytes <= before)
    }

    @Test("What the store no longer has makes room for what comes next")
    func erasedMeanwhile() async throws {
        var world = Self.world(.sum, 1200, seed: 6)
        let query = Self.query("nir,rgb,tir", world)
        let first = Self.scan(query, world, limit: 30, grouping: .sighting).map(\.sighting)
        // Still in the index.
        world.sightings.removeAll { first.contains($0.number) }
        let found = try await Self.search(
            world, VectorIndex.Query(vectors: query.vectors, limit: 10, grouping: .sighting))
        let expected = Self.scan(query, world, limit: 10, grouping: .sighting)
        #expect(found.hits.map { Answer(sighting: $0.sighting, score: $0.score) } == expected && expected.count == 10)
    }

    @Test("However many slices, the answer is the same; few candidates are read", arguments: [1, 2, 7])
    func slices(count: Int) async throws {
        let world = Self.world(.sum, 3000, seed: 7)
        let query = Self.query("nir,rgb,tir", world)
        let found = try await Self.search(
            world, VectorIndex.Query(vectors: query.vectors, limit: 5, grouping: .sighting), slices: count)
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
        let world = Self.world(combination, 2600, seed: 8)
        var queries: [VectorIndex.Query] = []
        for (index, set) in (Self.sets + Self.sets + ["rgb", "rgb", "rgb", "nir,rgb,tir", "nir,rgb,tir"]).enumerated() {
            var query = VectorIndex.Query(
                vectors: Self.query(set, world, fused: index % 5 == 4, seed: UInt64(index)).vectors)
            (query.limit, query.grouping) = (index % 2 == 0 ? 7 : 40, index % 3 == 0 ? .sighting : .identity)
            if index % 4 == 1 { query.filter.cameras = ["c1", "c3"] }
            queries.append(query)
        }
        let found = try await world.index.search(queries, source: world.source, threads: Self.threads, slices: 3)
        for (query, outcome) in zip(queries, found) {
            let alone = try await Self.search(world, query)
            #expect(
                outcome.hits == alone.hits && outcome.rows == alone.rows && outcome.incomparable == alone.incomparable)
            #expect(!outcome.hits.isEmpty)
        }
    }
}
