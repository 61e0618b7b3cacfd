import DatabaseFixtures
import Foundation
import Gallery
import Synchronization
import Testing

@Suite(
    "Servers of one database",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct SharingTests {
    private func enrol(_ name: String, _ vector: [Float], _ store: GalleryStore) async throws -> SightingRecord {
        try await store.enrol(Enrolment(identity: name, embeddings: [embedding(vector)]), in: "g").sighting
    }

    private func found(_ vector: [Float], _ store: GalleryStore) async throws -> [String] {
        try await store.query(GalleryQuery(embedding: embedding(vector), limit: 100), in: "g").matches.map(\.identity)
    }

    @Test("What one server has acknowledged another finds once it has its number, and no more once it was erased")
    func found() async throws {
        try await withServers(3) { stores, _ in
            for round in 0..<20 {
                let (one, other) = (stores[round % 3], stores[(round + 1) % 3])
                let name = "i\(round)"
                _ = try await enrol(name, [1, Float(round)], one)
                try await other.waitForSequence(one.sequence, until: .now + .seconds(240))
                #expect(try await found([1, Float(round)], other).first == name)
                try await other.deleteIdentity(name, in: "g")
                #expect(try await !found([1, Float(round)], one).contains(name))
                try await one.waitForSequence(other.sequence, until: .now + .seconds(240))
                #expect(try await one.indexContents(of: "g", model: "m").isEmpty)
            }
            #expect(stores.allSatisfy { $0.following.failure == nil })
            try await stores.meet()
            #expect(Set(stores.map(\.lastEvent)).count == 1 && stores[0].lastEvent > 0)
        }
    }

    @Test("A start at which nothing is to be deleted writes nothing that others would have to follow")
    func quiet() async throws {
        try await withServers { stores, database async throws in
            let commits = "SELECT commits FROM total"
            let before = try database.run(commits)
            let third = try await database.open("third")
            try await eventually("nothing is left to delete") { (stores + [third]).allSatisfy(\.erasure.isComplete) }
            #expect(try database.run(commits) == before)
            try await third.close()
        }
    }

    @Test("Of a transaction that is not there yet nobody is told that it is")
    func wait() async throws {
        try await withServers { stores, _ async throws in
            let next = stores[0].sequence + 1
            await expectError(kind: "behind") {
                try await stores[1].waitForSequence(next, until: .now + .milliseconds(100))
            }
            async let waiting: Void = stores[1].waitForSequence(next, until: .now + .seconds(240))
            _ = try await enrol("a", [1, 0], stores[0])
            try await waiting
            #expect(stores[0].sequence == next && stores[1].sequence == next)
            let task = Task { try await stores[1].waitForSequence(next + 1, until: .now + .seconds(240)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("A file counts its transactions as well, and has one server, which leads it")
    func file() async throws {
        try await withStore(on: [.sqlite]) { store, directory async throws in
            let before = store.sequence
            _ = try await enrol("a", [1, 0], store)
            #expect(store.sequence == before + 1 && store.isLeader && store.following.lag == 0)
            try await store.waitForSequence(before + 1, until: .now)
            await expectError(kind: "behind") { try await store.waitForSequence(before + 2, until: .now) }
            #expect(try await store.members().isEmpty)
            try await store.close()
            let again = try await directory.open()
            #expect(again.sequence >= before + 1)
            try await again.close()
            await expectError(kind: "invalid sharing") {
                var configuration = GalleryConfiguration()
                configuration.sharing = true
                return try await directory.open(configuration)
            }
        }
    }

    @Test("Of a newcomer that two servers see at the same time one makes an identity, which the other joins")
    func newcomers() async throws {
        try await withServers { stores, _ in
            var generator = SeededGenerator(seed: 3)
            for _ in 0..<30 {
                let vector = generator.unitVector(32)
                let passages = try (0..<4).map { _ in
                    let seen = SightingEmbedding(
                        model: "m", space: nil, vectors: ["rgb": generator.vector(near: vector, spread: 0.1)])
                    var passage = Passage(
                        [Enrolment(identity: "", embeddings: [seen])],
                        embedding: try SightingEmbedding(meanOf: [seen]))
                    passage.threshold = 0.8
                    return passage
                }
                let outcomes = try await withThrowingTaskGroup(of: Identification.self) { group in
                    for (place, passage) in passages.enumerated() {
                        group.addTask { try await stores[place % 2].identify(passage, in: "g") }
                    }
                    return try await group.reduce(into: [Identification]()) { $0.append($1) }
                }
                #expect(outcomes.count(where: \.isNew) == 1 && Set(outcomes.map(\.identity)).count == 1)
            }
            #expect(try await stores[1].gallery("g").identities == 30)
        }
    }

    @Test("What was erased is in no answer of a server that has not learned of it")
    func erased() async throws {
        try await withServers { stores, database async throws in
            let store = stores[0]
            for round in 0..<4 { _ = try await enrol("kept \(round % 2)", [1, Float(round)], store) }
            let gone = [try await enrol("gone", [1, 5], store), try await enrol("gone", [1, 6], store)]
            _ = try await store.evaluate(in: "g", model: "m")
            try await stores.meet()
            // Behind the backs of all.
            try database.run(
                """
                INSERT INTO erased_identity SELECT id FROM identity WHERE name = 'gone';
                UPDATE identity SET name = 'x' WHERE name = 'gone'
                """)
            for store in stores {
                #expect(try await store.indexContents(of: "g", model: "m").count == 6)
                let query = GalleryQuery(embedding: embedding([1, 5]), limit: 10, grouping: .sighting)
                var several = query
                (several.further, several.rerank) = ([embedding([1, 6])], 6)
                for query in [query, several] {
                    let matches = try await store.query(query, in: "g").matches
                    #expect(matches.count == 4 && matches.allSatisfy { $0.identity.hasPrefix("kept") })
                    #expect(try await store.query(query, over: ["g"]).matches.count == 4)
                }
                let similar = try await store.identities(similarTo: "kept 0", in: "g", model: "m")
                #expect(similar.map(\.identity) == ["kept 1"])
                let groups = try await store.groups(in: "g", model: "m", threshold: -1)
                #expect(groups.map(\.identities) == [["kept 0", "kept 1"]])
                let report = try await store.latestEvaluation(in: "g")
                #expect(report.worst.allSatisfy { $0.identity.hasPrefix("kept") })
                #expect(report.failures.allSatisfy { !gone.map(\.id).contains($0.sighting) })
                _ = try await store.map(in: "g", model: "m")
                #expect(try await store.latestMap(in: "g").points.items.count == 4)
                let asked = embedding([1, 5])
                var passage = Passage([Enrolment(identity: "", embeddings: [asked])], embedding: asked)
                (passage.isStored, passage.threshold) = (false, 0.5)
                let seen = try await store.identify(passage, in: "g")
                #expect(seen.contenders.allSatisfy { $0.match.identity.hasPrefix("kept") })
                await expectError(.notFound(.identity, "gone")) { try await store.identity("gone", in: "g") }
            }
        }
    }

    @Test("Servers tell each other what they may hold in memory")
    func news() async throws {
        try await withServers { stores, _ in
            let told = Mutex<Set<ServerNews>>([])
            stores[1].observe { news in told.withLock { _ = $0.insert(news) } }
            let ledger = stores[0].ledger
            let key = try NewAccessKey(name: "k", role: .read).issue().key
            try await ledger.save(key)
            _ = try await ledger.revokeAccessKey(key.id, at: Date())
            try await ledger.activate("m", finishing: JobRecord(kind: "activation", model: "m"), moving: nil)
            try await ledger.create(Webhook(url: "https://example.org/", filter: EventFilter(), after: 0))
            try await ledger.save(
                CheckpointRecord(file: "m.safetensors", digest: "m", bytes: 7, modifiedAt: 1, summary: "{}"))
            try await stores.meet()
            let expected: Set<ServerNews> = [.accessKeys, .activeModel, .jobs, .webhooks, .checkpoints]
            #expect(told.withLock { $0 }.isSuperset(of: expected))
        }
    }

    @Test("A server alone and servers that share a database keep each other out")
    func alone() async throws {
        try await withServers(1) { stores, database async throws in
            await expectError(kind: "inUse") { try await database.directory.open() }
            let second = try await database.open()
            try await stores[0].close()
            await expectError(kind: "inUse") { try await database.directory.open() }
            try await second.close()
            let alone = try await database.directory.open()
            await expectError(kind: "inUse") { try await database.open() }
            _ = try await enrol("a", [1, 0], alone)
            try await alone.close()
            let again = try await database.open()
            #expect(try await found([1, 0], again) == ["a"])
            try await again.close()
        }
    }
}
