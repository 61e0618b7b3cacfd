import DatabaseFixtures
import Foundation
import Gallery
import Testing

/// A database that is searched itself, against an index in memory.
@Suite(
    .enabled(
        if: PostgreSQLServer.hasVectors,
        "PostgreSQL with pgvector is not installed: TRIPTYCH_TEST_PGVECTOR names the folder of its programs"))
struct DatabaseIndexTests {
    private static let cameras = ["north", "south", "a \"quoted\\ one,", "east"]

    /// Sightings near centres, of all kinds that there are.
    private static func sightings(
        _ combination: VectorSpace.Combination, count: Int, seed: UInt64
    ) -> [(enrolment: Enrolment, embedding: SightingEmbedding)] {
        var generator = SeededGenerator(seed: seed)
        let space = VectorSpace(
            combination: combination, modalities: ["tir", "rgb", "nir"], partDimension: IndexWorld.dimension)
        let centres = (0..<(count / 5)).map { _ in
            Dictionary(
                uniqueKeysWithValues: ["rgb", "nir", "tir"].map { ($0, generator.unitVector(IndexWorld.dimension)) })
        }
        return (0..<count).map { number in
            let centre = centres[number % centres.count]
            let names =
                number % 4 == 0
                ? (IndexWorld.sets.randomElement(using: &generator) ?? "rgb").split(separator: ",").map(String.init)
                : ["nir", "rgb", "tir"]
            var vectors: [String: [Float]] = [:]
            for name in names {
                let length = Float.random(in: 0.5..<2, using: &generator)
                vectors[name] = generator.vector(near: centre[name] ?? [], spread: 1.2).map { $0 * length }
            }
            if number % 29 == 3 && names.count > 1 {
                let fused =
                    combination == .sum
                    ? generator.unitVector(IndexWorld.dimension)
                    : generator.unitVector(IndexWorld.dimension * names.count)
                vectors = [names.joined(separator: "+"): fused]
            }
            let embedding = SightingEmbedding(model: "m", space: space, vectors: vectors)
            let metadata: Metadata = [
                "colour": .string(["red", "blue", "grey"][number % 3]), "lane": .number(Double(number % 7)),
            ]
            let enrolment = Enrolment(
                identity: "v\(number % centres.count)",
                camera: number % 9 == 0 ? nil : cameras[number % cameras.count],
                capturedAt: number % 11 == 0 ? nil : Date(timeIntervalSince1970: 1000 + Double(number)),
                metadata: metadata, embeddings: [embedding])
            return (enrolment, embedding)
        }
    }

    private static func filters(_ names: [String]) -> [QueryFilter] {
        var filters = [QueryFilter](repeating: QueryFilter(), count: 9)
        filters[1].cameras = [Self.cameras[2], "west"]
        filters[2].excludeCameras = [Self.cameras[2], Self.cameras[0]]
        (filters[3].capturedAfter, filters[3].capturedBefore) = (
            Date(timeIntervalSince1970: 1020), Date(timeIntervalSince1970: 1150)
        )
        filters[4].identities = ["v1", "v2", "v3", "nobody"]
        (filters[5].excludeIdentities, filters[5].isLabelled) = (["v0", "v4"], false)
        filters[6].metadata = ["colour": "red", "lane": .anyOf([.number(1), .number(2)])]
        filters[7].excludeMetadata = ["colour": ["blue", "grey"]]
        (filters[8].labelPrefix, filters[8].excludeSightings) = ("La", [names[0]])
        return filters
    }

    /// Of which one condition selects no more than a hundred of 600 sightings.
    private static func narrow(_ names: [String]) -> [QueryFilter] {
        var filters = [QueryFilter](repeating: QueryFilter(), count: 5)
        (filters[0].capturedAfter, filters[0].capturedBefore) = (
            Date(timeIntervalSince1970: 1200), Date(timeIntervalSince1970: 1260)
        )
        (filters[1].identities, filters[1].cameras) = (["v1", "v2", "v3", "nobody"], cameras)
        (filters[2].metadata, filters[2].excludeCameras) = (["lane": 3, "colour": ["red", "blue"]], [cameras[0]])
        (filters[3].labelPrefix, filters[3].excludeSightings) = ("La", [names[2]])
        filters[4].cameras = ["west"]
        return filters
    }

    /// Queries of every kind.
    private static func queries(
        _ sightings: [(enrolment: Enrolment, embedding: SightingEmbedding)], _ filters: [QueryFilter]
    ) -> [GalleryQuery] {
        var queries: [GalleryQuery] = []
        for (place, sighting) in sightings.enumerated().filter({ $0.offset % 17 == 0 }) {
            for set in sighting.embedding.modalities.count == 3 && place % 2 == 0
                ? [["rgb"], ["nir", "tir"], ["nir", "rgb", "tir"]] : [sighting.embedding.modalities]
            {
                let vectors = sighting.embedding.vectors.filter { set.contains($0.modalities.joined(separator: "+")) }
                let embedding =
                    vectors.isEmpty
                    ? sighting.embedding
                    : SightingEmbedding(
                        model: "m", space: sighting.embedding.space,
                        vectors: Dictionary(uniqueKeysWithValues: vectors.map { ($0.modalities[0], $0.values) }))
                var query = GalleryQuery(
                    embedding: embedding, limit: [1, 5, 20][place % 3], threshold: place % 5 == 0 ? 0.2 : nil,
                    grouping: place % 2 == 0 ? .identity : .sighting, filter: filters[place % filters.count])
                queries.append(query)
                query.grouping = .identity
                query.further = [sightings[(place + 3) % sightings.count].embedding]
                query.combination = place % 4 == 0 ? .best : .mean
                query.score = [.best, .meanOfBest(3), .perCamera][place % 3]
                queries.append(query)
            }
        }
        return queries
    }

    /// Who answers, by what is the same in both databases.
    private static func answers(
        _ store: GalleryStore, _ queries: [GalleryQuery]
    ) async throws -> (matches: [[String]], statistics: [SearchStatistics]) {
        let results = try await store.queries(queries, in: "g").map { try $0.get() }
        let matches = results.map { result in
            result.matches.map {
                "\($0.identity) \($0.capturedAt.map { "\($0)" } ?? "-") \($0.score) \($0.counted ?? 0)"
            }
        }
        return (matches, results.map(\.statistics))
    }

    private static func fill(
        _ store: GalleryStore, _ sightings: [(enrolment: Enrolment, embedding: SightingEmbedding)]
    ) async throws -> [String] {
        var names: [String] = []
        for start in stride(from: 0, to: sightings.count, by: 100) {
            let some = sightings[start..<min(start + 100, sightings.count)].map(\.enrolment)
            names += try await store.enrol(some, in: "g").map { try $0.get().sighting.id }
        }
        _ = try await store.updateIdentity("v2", in: "g", IdentityPatch(label: .set("Lada")))
        _ = try await store.updateIdentity("v7", in: "g", IdentityPatch(label: .set("Volvo")))
        return names
    }

    @Test(
        "Where all are compared, the answers are those of an index in memory",
        arguments: [VectorSpace.Combination.sum, .blocks])
    func exact(_ combination: VectorSpace.Combination) async throws {
        let sightings = Self.sightings(combination, count: 240, seed: 5)
        try await DatabaseEngine.pgvector.taking {
            let (here, there) = (try TemporaryDirectory(.sqlite), try TemporaryDirectory(.pgvector))
            let (memory, database) = (try await here.open(), try await there.open())
            for store in [memory, database] { _ = try await store.createGallery("g") }
            let (names, others) = (try await Self.fill(memory, sightings), try await Self.fill(database, sightings))
            let expected = try await Self.answers(memory, Self.queries(sightings, Self.filters(names)))
            let found = try await Self.answers(database, Self.queries(sightings, Self.filters(others)))
            #expect(found.matches == expected.matches)
            #expect(found.statistics.map(\.rows) == expected.statistics.map(\.rows))
            #expect(found.statistics.map(\.incomparable) == expected.statistics.map(\.incomparable))
            #expect(found.statistics.allSatisfy { !$0.isApproximate })
            try await memory.close()
            try await database.close()
        }
    }

    @Test(
        "By an index nearly all of the nearest are found, with exact scores, and it is said; all where a filter admits few"
    )
    func indexed() async throws {
        let sightings = Self.sightings(.sum, count: 600, seed: 6)
        try await DatabaseEngine.pgvector.taking {
            let (here, there) = (try TemporaryDirectory(.sqlite), try TemporaryDirectory(.pgvector))
            var configuration = GalleryConfiguration()
            configuration.mostCompared = 100
            let (memory, database) = (try await here.open(), try await there.open(configuration))
            for store in [memory, database] { _ = try await store.createGallery("g") }
            let (names, others) = (try await Self.fill(memory, sightings), try await Self.fill(database, sightings))
            let expected = try await Self.answers(memory, Self.queries(sightings, Self.filters(names))).matches
            var found: (matches: [[String]], statistics: [SearchStatistics]) = ([], [])
            try await eventually("the index is made") {
                found = try await Self.answers(database, Self.queries(sightings, Self.filters(others)))
                return found.statistics.contains(where: \.isApproximate)
            }
            let shares = zip(expected, found.matches).filter { !$0.0.isEmpty }.map { wanted, found in
                Double(Set(wanted).intersection(found).count) / Double(wanted.count)
            }
            #expect(shares.reduce(0, +) / Double(shares.count) > 0.97)
            let few = try await Self.answers(memory, Self.queries(sightings, Self.narrow(names)))
            let whole = try await Self.answers(database, Self.queries(sightings, Self.narrow(others)))
            #expect(whole.matches == few.matches && few.matches.contains { !$0.isEmpty })
            #expect(whole.statistics.allSatisfy { !$0.isApproximate }, "all that a narrow filter admits are compared")
            for recall in try await IndexRecall.measure(
                there.database, gallery: "g", model: "m", samples: 20, seed: 1, mostCompared: 100)
            {
                #expect(recall.atTen > 0.9 && recall.atOne > 0.9 && recall.queries > 0, "\(recall)")
            }
            try await memory.close()
            try await database.close()
        }
    }

    @Test("What a server with its vectors in memory has enrolled and changed is found after the next start")
    func switching() async throws {
        let sightings = Self.sightings(.blocks, count: 60, seed: 7)
        try await DatabaseEngine.pgvector.taking {
            let directory = try TemporaryDirectory(.pgvector)
            let open = { (index: IndexPlacement) in
                var configuration = GalleryConfiguration()
                configuration.index = index
                return try await GalleryStore.open(path: directory.database, configuration: configuration)
            }
            var store = try await open(.memory)
            _ = try await store.createGallery("g")
            for sighting in sightings[..<20] { _ = try await store.enrol(sighting.enrolment, in: "g") }
            try await store.close()
            store = try await open(.pgvector)
            #expect(try await store.query(Self.all(sightings), in: "g").statistics.rows > 10)
            for sighting in sightings[20..<40] { _ = try await store.enrol(sighting.enrolment, in: "g") }
            try await store.close()
            store = try await open(.memory)
            for sighting in sightings[40...] { _ = try await store.enrol(sighting.enrolment, in: "g") }
            try await store.deleteIdentity("v3", in: "g")
            _ = try await store.mergeIdentities(["v4"], into: "v5", in: "g")
            try await store.waitUntilErased()
            let expected = try await store.query(Self.all(sightings), in: "g").matches
            try await store.close()
            store = try await open(.pgvector)
            #expect(try await store.query(Self.all(sightings), in: "g").matches == expected)
            #expect(expected.count > 30)
            try await store.close()
        }
    }

    private static func all(_ sightings: [(enrolment: Enrolment, embedding: SightingEmbedding)]) -> GalleryQuery {
        GalleryQuery(embedding: sightings[1].embedding, limit: 1000, grouping: .sighting)
    }

    @Test("Where pgvector is missing, too old, or must not be made, a start is refused in one line")
    func refusals() async throws {
        let server = try PostgreSQLServer.shared(withVectors: true)
        for name in ["bare", "old"] {
            try server.run("DROP DATABASE IF EXISTS \(name)")
            try server.run("CREATE DATABASE \(name) TEMPLATE template0")
        }
        try server.run("CREATE ROLE visitor LOGIN; GRANT ALL ON DATABASE bare TO visitor")
        try server.run(
            "CREATE EXTENSION vector; UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'", in: "old")
        try server.run("GRANT ALL ON SCHEMA public TO visitor", in: "bare")
        var cases = [
            (server.address(database: "bare", user: "visitor"), "no right to make the extension"),
            (server.address(database: "old"), "pgvector 0.7.4, expected 0.8.0 or later"),
        ]
        if PostgreSQLServer.isInstalled, try PostgreSQLServer.shared().folder != server.folder {
            cases.append((try PostgreSQLServer.makeDatabase(), "expected pgvector 0.8.0 or later"))
        }
        for (address, said) in cases {
            let found = await Self.refusal(address)
            #expect(found.contains(said) && !found.contains("\n"), "\(found)")
        }
        let file = try TemporaryDirectory(.sqlite)
        #expect(await Self.refusal(file.database).contains("gallery.index: expected memory"))
        let directory = try TemporaryDirectory(.pgvector)
        try await directory.open().close()
        let schema = try #require(directory.database.split(separator: "%3D").last)
        try server.run("UPDATE \(schema).vector_schema SET version = 9")
        await expectError(.newerSchema(found: 9, supported: 1)) { try await directory.open() }
    }

    private static func refusal(_ address: String) async -> String {
        var configuration = GalleryConfiguration()
        configuration.index = .pgvector
        do {
            let store = try await GalleryStore.open(path: address, configuration: configuration)
            try await store.close()
            return "opened"
        } catch {
            return "\(error)"
        }
    }

    @Test("What one server enrols or erases another knows at once; one that holds its vectors in memory is kept out")
    func sharing() async throws {
        try await DatabaseEngine.pgvector.taking {
            let directory = try TemporaryDirectory(.pgvector)
            let open: @Sendable (IndexPlacement) async throws -> GalleryStore = { index in
                var configuration = GalleryConfiguration()
                (configuration.index, configuration.sharing) = (index, true)
                return try await GalleryStore.open(path: directory.database, configuration: configuration)
            }
            let (one, other) = (try await open(.pgvector), try await open(.pgvector))
            _ = try await one.createGallery("g")
            let query = GalleryQuery(embedding: embedding([1, 0]))
            _ = try await one.enrol(Enrolment(identity: "a", embeddings: [embedding([1, 0.1])]), in: "g")
            #expect(try await other.query(query, in: "g").matches.map(\.identity) == ["a"])
            try await other.waitForSequence(one.sequence, until: .now + .seconds(240))
            try await other.deleteIdentity("a", in: "g")
            #expect(try await one.query(query, in: "g").unknown)
            await expectError(kind: "unsupported") { try await open(.memory) }
            try await one.close()
            try await other.close()
            try await open(.memory).close()
        }
    }

    @Test("Evaluations and maps want all vectors in memory, and say so")
    func unsupported() async throws {
        try await withStore(on: [.pgvector]) { store, _ in
            for values: [Float] in [[1, 0], [0, 1]] {
                _ = try await store.enrol(Enrolment(identity: "a", embeddings: [embedding(values)]), in: "g")
            }
            await expectError(kind: "unsupported") { try await store.evaluate(in: "g", model: "m") }
            await expectError(kind: "unsupported") { try await store.map(in: "g", model: "m") }
        }
    }
}
