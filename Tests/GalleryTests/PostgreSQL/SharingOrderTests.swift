import DatabaseFixtures
import Foundation
import Gallery
import Testing

/// That indexes which follow each other are what the database makes of a new one.
@Suite(
    "Servers that follow each other",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct SharingOrderTests {
    /// Changes a gallery at random, as clients of one server would.
    private struct Client {
        let store: GalleryStore
        var generator: SeededGenerator
        private let space = VectorSpace(combination: .sum, modalities: ["nir", "rgb"], partDimension: 8)

        init(_ store: GalleryStore, seed: UInt64) {
            (self.store, generator) = (store, SeededGenerator(seed: seed))
        }

        private mutating func identity() -> String { "i\(Int.random(in: 0..<12, using: &generator))" }

        /// Of a model that says what its vectors are, or does not yet.
        private mutating func vectors(_ model: String) -> SightingEmbedding {
            let isWhole = model == "n" && Int.random(in: 0..<3, using: &generator) > 0
            if isWhole {
                return SightingEmbedding(model: model, modalities: ["nir", "rgb"], values: generator.unitVector(8))
            }
            return SightingEmbedding(
                model: model, space: space, vectors: ["nir": generator.unitVector(8), "rgb": generator.unitVector(8)])
        }

        /// What another client has made impossible meanwhile is left.
        mutating func step() async throws {
            do { try await change(Int.random(in: 0..<40, using: &generator)) } catch let error as GalleryError {
                switch error {
                case .notFound, .alreadyExists, .outdated, .invalid, .dimensionMismatch, .modelMismatch: break
                default: throw error
                }
            }
        }

        private mutating func sighting() async throws -> SightingRecord? {
            try await store.sightings(in: "g", SightingListFilter()).items.randomElement(using: &generator)
        }

        private mutating func change(_ kind: Int) async throws {
            switch kind {
            case 0..<20: try await enrol()
            case 20..<25:
                if let sighting = try await sighting() {
                    _ = try await store.moveSighting(sighting.id, to: identity(), in: "g")
                }
            case 25..<27: _ = try await store.mergeIdentities([identity()], into: identity(), in: "g")
            case 27..<29:
                if let last = try await store.corrections(in: "g", PageRequest(limit: 1000)).items.last {
                    _ = try await store.undoCorrection(last.id, in: "g")
                }
            case 29..<32: try await describe()
            case 32: try await store.deleteIdentity(identity(), in: "g")
            case 33..<35:
                if let sighting = try await sighting() { try await store.deleteSighting(sighting.id, in: "g") }
            case 35: try await retain()
            case 36: try await store.deleteEmbeddings(model: Bool.random(using: &generator) ? "n" : "k")
            case 37: try await adopt()
            default: _ = try await store.renameIdentity(identity(), to: identity(), in: "g")
            }
        }

        private mutating func enrol() async throws {
            let captured = Date(timeIntervalSince1970: Double(Int.random(in: 1_000_000..<2_000_000, using: &generator)))
            let image = KeptImage(modality: "rgb", contentType: "image/png", bytes: Data([1]))
            let enrolments = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                Enrolment(
                    identity: identity(), camera: "c\(Int.random(in: 0..<3, using: &generator))", capturedAt: captured,
                    images: [image], embeddings: [vectors("m"), vectors("n")])
            }
            for receipt in try await store.enrol(enrolments, in: "g") { _ = try receipt.get() }
        }

        private mutating func describe() async throws {
            guard let sighting = try await sighting() else { return }
            var patch = SightingPatch()
            patch.camera = .set(Bool.random(using: &generator) ? "d" : nil)
            patch.capturedAt = .set(Date(timeIntervalSince1970: 1_500_000))
            _ = try await store.updateSighting(sighting.id, in: "g", patch)
        }

        /// Erases some of the oldest.
        private mutating func retain() async throws {
            var filter = QueryFilter()
            filter.capturedBefore = Date(
                timeIntervalSince1970: Double(Int.random(in: 1_000_000..<1_200_000, using: &generator)))
            _ = try await store.eraseSightings(filter, in: "g")
        }

        /// Embeds what a model lacks, as an activation does.
        private mutating func adopt() async throws {
            let pending = try await store.pendingBatch(model: "k", limit: 10).sightings
            let additions = pending.map { EmbeddingAddition(vectors("k"), to: $0.sighting, in: $0.gallery) }
            _ = try await store.addEmbeddings(additions)
            let fused = try await store.fusedBatch(model: "n", limit: 5).sightings
            let better = fused.map { EmbeddingAddition(vectors("n"), to: $0.sighting, in: $0.gallery) }
            _ = try await store.replaceEmbeddings(better)
        }
    }

    /// Of all models that there may be.
    private func contents(_ store: GalleryStore) async throws -> [[String]] {
        var contents: [[String]] = []
        for model in ["m", "n", "k"] { contents.append(try await store.indexContents(of: "g", model: model)) }
        return contents
    }

    /// Two clients of each of two servers, at the same time; then a third server is opened, which loads all anew.
    private func compare(_ stores: [GalleryStore], _ database: SharedDatabase, seed: UInt64, steps: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask {
                    var client = Client(stores[number % 2], seed: seed + UInt64(number))
                    for _ in 0..<steps { try await client.step() }
                }
            }
            try await group.waitForAll()
        }
        try await stores.meet()
        let third = try await database.open("third")
        let expected = try await contents(third)
        try await third.close()
        for store in stores { #expect(try await contents(store) == expected) }
        #expect(expected[0].count > 10, "\(expected.map(\.count))")
    }

    @Test("After hundreds of changes by both, at the same time, two indexes are what a third loads")
    func interleaved() async throws {
        try await withServers { stores, database in
            for seed in [1, 100, 200] as [UInt64] {
                try await compare(stores, database, seed: seed, steps: 40)
            }
        }
    }

    @Test("It is so as well while connections are cut, and while a server begins")
    func cut() async throws {
        try await withServers { stores, database in
            async let changes: Void = compare(stores, database, seed: 7, steps: 60)
            for _ in 0..<6 {
                try database.cutFollowers()
                let late = try await database.open("late")
                try await late.close()
            }
            try await changes
        }
    }

    @Test("A server whose connection was cut catches up")
    func catchingUp() async throws {
        try await withServers { stores, database in
            for round in 0..<5 {
                try database.cutFollowers()
                for number in 0..<10 {
                    let one = Enrolment(identity: "i\(round)-\(number)", embeddings: [embedding([1, Float(number)])])
                    _ = try await stores[0].enrol(one, in: "g")
                }
                try await stores.meet()
                #expect(try await stores[1].indexContents(of: "g", model: "m").count == 10 * (round + 1))
            }
        }
    }

    @Test("What is not written down any more is noticed, and all is loaded anew")
    func gap() async throws {
        try await withServers { stores, database in
            for number in 0..<5 {
                let one = Enrolment(identity: "i\(number)", embeddings: [embedding([1, Float(number)])])
                _ = try await stores[0].enrol(one, in: "g")
            }
            try await stores.meet()
            let before = stores[0].sequence
            // A transaction of which the log has been trimmed by the time that anybody looks.
            try database.run(
                """
                BEGIN; UPDATE total SET commits = commits + 3, log_floor = commits + 3;
                DELETE FROM sighting WHERE identity_id = (SELECT id FROM identity WHERE name = 'i2'); COMMIT
                """)
            for store in stores {
                try await eventually("the index was not loaded anew") {
                    store.sequence >= before + 3 && (try? store.requireCurrent()) != nil
                }
                #expect(try await store.indexContents(of: "g", model: "m").count == 4)
            }
            _ = try await stores[1].enrol(
                Enrolment(identity: "later", embeddings: [embedding([1, 9])]), in: "g")
            try await stores.meet()
            for store in stores { #expect(try await store.indexContents(of: "g", model: "m").count == 5) }
        }
    }

    /// As if the last transaction had been another, or none, on a standby that has become the primary.
    private static let losses = [
        "UPDATE change_log SET name = 'another' WHERE sequence = (SELECT commits FROM total)",
        "DELETE FROM change_log WHERE sequence = (SELECT commits FROM total); UPDATE total SET commits = commits - 1",
    ]

    @Test("A history that a failover has taken back is noticed, and all is loaded anew", arguments: losses)
    func takenBack(loss: String) async throws {
        try await withServers { stores, database in
            for name in ["a", "b"] {
                _ = try await stores[0].enrol(
                    Enrolment(identity: name, embeddings: [embedding([1, 0])]), in: "g")
            }
            try await stores.meet()
            try database.run(
                """
                BEGIN; DELETE FROM sighting WHERE identity_id = (SELECT id FROM identity WHERE name = 'b'); \(loss); COMMIT
                """)
            for store in stores {
                try await eventually("the index was not loaded anew") {
                    (try? await store.indexContents(of: "g", model: "m").count) == 1
                }
            }
        }
    }
}
