import DatabaseFixtures
import Foundation
import GRDB
import Gallery
import Testing

@Suite("Maps of a gallery")
struct MapTests {
    /// Identities far from each other.
    private func fill(_ store: GalleryStore, identities: Int, each: Int) async throws {
        var generator = SeededGenerator(seed: 12)
        for identity in 0..<identities {
            let centre = generator.unitVector(24)
            for number in 0..<each {
                try await store.add(
                    "i\(identity)", generator.vector(near: centre, spread: 0.4), camera: "c\(number % 2)")
            }
        }
    }

    private func points(_ store: GalleryStore) async throws -> [MapPoint] {
        try await store.latestMap(in: "g", PageRequest(limit: 1000)).points.items
    }

    @Test("What is far apart in truth is on the map, which says how true it is")
    func clusters() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            try await fill(store, identities: 6, each: 20)
            let map = try await store.map(in: "g", model: "m")
            #expect((map.samples, map.sightings, map.identities) == (120, 120, 6) && map.perplexity == 30)
            #expect(map.trustworthiness ?? 0 > 0.9, "\(map)")
            let points = try await points(store)
            #expect(points.count == 120 && points.allSatisfy { $0.modalities == ["rgb"] && $0.camera != nil })
            #expect(points.allSatisfy { abs($0.x) <= 1 && abs($0.y) <= 1 })
            let sides = [points.map(\.x), points.map(\.y)].map { ($0.max() ?? 0) - ($0.min() ?? 0) }
            #expect(abs((sides.max() ?? 0) - 2) < 1e-5)
            for point in points {
                let nearest = points.filter { $0.sighting != point.sighting }.min {
                    distance($0, point) < distance($1, point)
                }
                #expect(nearest?.identity == point.identity)
            }
        }
    }

    private func distance(_ a: MapPoint, _ b: MapPoint) -> Float {
        (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)
    }

    @Test("The same gallery and options give the same map with any number of threads; another seed another one")
    func deterministic() async throws {
        var maps: [[MapPoint]] = []
        for threads in [1, 7] {
            var configuration = GalleryConfiguration()
            configuration.searchThreads = threads
            let places = try await places(configuration, seeds: [1, 1, 2])
            #expect(places[0] == places[1] && places[0] != places[2])
            maps.append(places[0])
        }
        #expect(maps[0].map(\.x) == maps[1].map(\.x) && maps[0].map(\.y) == maps[1].map(\.y))
    }

    private func places(_ configuration: GalleryConfiguration, seeds: [UInt64]) async throws -> [[MapPoint]] {
        var found: [[MapPoint]] = []
        try await withStore(configuration, on: DatabaseEngine.holdingVectors) { store, _ in
            try await fill(store, identities: 9, each: 5)
            for seed in seeds {
                var options = MapOptions()
                (options.seed, options.perplexity) = (seed, 5)
                _ = try await store.map(in: "g", model: "m", options)
                found.append(try await points(store))
            }
        }
        return found
    }

    @Test("A sample has every identity, however few sightings it has")
    func balanced() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            try await fill(store, identities: 1, each: 60)
            for number in 0..<7 {
                try await store.add("rare-\(number)", [Float](repeating: Float(number + 1), count: 24))
            }
            var options = MapOptions()
            options.samples = 12
            let map = try await store.map(in: "g", model: "m", options)
            let points = try await points(store)
            #expect(map.samples == 12 && map.sightings == 67 && map.trustworthiness == nil)
            #expect(Set(points.map(\.identity)).count == 8 && points.count { $0.identity == "i0" } == 5)
        }
    }

    @Test("What is erased leaves the map at once, and others have today's names")
    func erased() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, directory in
            try await fill(store, identities: 4, each: 3)
            _ = try await store.map(in: "g", model: "m")
            let all = try await points(store)
            let first = try #require(all.first { $0.identity == "i0" }?.sighting)
            try await store.deleteSighting(first, in: "g")
            try await store.deleteIdentity("i1", in: "g")
            _ = try await store.renameIdentity("i2", to: "n2", in: "g")
            _ = try await store.mergeIdentities(["i3"], into: "n2", in: "g")
            let left = try await points(store)
            #expect(left.count == 8 && Set(left.map(\.identity)) == ["i0", "n2"])
            let places = { (points: [MapPoint]) in Dictionary(uniqueKeysWithValues: points.map { ($0.sighting, $0.x) })
            }
            #expect(places(left).allSatisfy { places(all)[$0.key] == $0.value })
            try await store.waitUntilErased()
            guard directory.engine == .sqlite else { return }
            let queue = try directory.connect()
            let count = { (table: String) in
                try queue.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table)") ?? -1 }
            }
            #expect(try count("map_point") == 8)
            let before = try await store.latestMap(in: "g").id
            _ = try await store.map(in: "g", model: "m")
            #expect(try await store.latestMap(in: "g").id != before)
            #expect(try count("map_point") == 8 && count("analysis") == 1)
            try await store.deleteEmbeddings(model: "m")
            await expectError(.notFound(.map, "g")) { try await store.latestMap(in: "g") }
            try await store.waitUntilErased()
            #expect(try count("map_point") == 0 && count("analysis") == 0)
            try await store.checkIntegrity()
            try queue.close()
        }
    }

    @Test("A map is read in parts, each of which says which map it is of")
    func pages() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            try await fill(store, identities: 5, each: 3)
            _ = try await store.map(in: "g", model: "m")
            let first = try await store.latestMap(in: "g", PageRequest(limit: 10))
            let second = try await store.latestMap(in: "g", PageRequest(limit: 10, after: first.points.next))
            #expect(first.points.items.count == 10 && second.points.items.count == 5 && second.points.next == nil)
            #expect(first.id == second.id)
            #expect(try await points(store) == first.points.items + second.points.items)
        }
    }

    @Test("Two sightings, and sightings that all look the same, have a map too", arguments: [2, 40])
    func few(count: Int) async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            for number in 0..<count { try await store.add("i\(number % 2)", [1, 2, 3]) }
            let map = try await store.map(in: "g", model: "m")
            #expect(map.samples == count)
            #expect(try await points(store).count == count)
        }
    }

    @Test("Numbers out of bounds, too few sightings and a cancelled job keep nothing")
    func refused() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            try await store.add("a", [1, 0])
            await expectError(.tooFew(expected: 2, found: 1)) { try await store.map(in: "g", model: "m") }
            try await store.add("b", [0, 1])
            var options = MapOptions()
            for (samples, perplexity, field) in [(1, 30.0, "samples"), (20_001, 30, "samples"), (9, 1.5, "perplexity")]
            {
                (options.samples, options.perplexity) = (samples, perplexity)
                await expectError(kind: "invalid \(field)") { [options] in
                    try await store.map(in: "g", model: "m", options)
                }
            }
            await #expect(throws: CancellationError.self) {
                try await store.map(in: "g", model: "m") { done, _ in if done > 100 { throw CancellationError() } }
            }
            await expectError(.notFound(.map, "g")) { try await store.latestMap(in: "g") }
        }
    }
}
