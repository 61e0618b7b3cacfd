import DatabaseFixtures
import Foundation
import Gallery
import Testing

@Suite(
    "What servers keep for each other",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct SharedFileTests {
    private func noise(_ bytes: Int, seed: UInt64) -> Data {
        var state = seed
        return Data(
            (0..<bytes).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1
                return UInt8(truncatingIfNeeded: state >> 56)
            })
    }

    @Test("A file of several pieces comes back whole at another server, until it is withdrawn; it may come again")
    func files() async throws {
        try await withServers { stores, database in
            let ledgers = try stores.map { try #require($0.sharedLedger) }
            let (source, copy) = (database.directory.file("source"), database.directory.file("copy"))
            for size in [0, 1, 8 << 20, (17 << 20) + 5] {
                let (bytes, name) = (noise(size, seed: UInt64(size)), "model/\(size)")
                try bytes.write(to: URL(fileURLWithPath: source))
                try await ledgers[0].share(name, from: source)
                try await ledgers[1].share(name, from: source)
                #expect(try await ledgers[1].fetch(name, to: copy))
                #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == bytes)
            }
            let name = "model/\((17 << 20) + 5)"
            let shared = try #require(try await ledgers[1].sharedFiles().first { $0.name == name })
            #expect(shared.state == .whole && shared.bytes == (17 << 20) + 5 && shared.digest.count == 64)
            try await ledgers[1].withdraw(name)
            #expect(try await ledgers[0].sharedFiles().first { $0.name == name }?.state == .gone)
            #expect(try await !ledgers[0].fetch(name, to: copy))
            try await ledgers[0].share(name, from: source)
            #expect(try await ledgers[1].fetch(name, to: copy))
            try await ledgers[0].forget(name)
            #expect(try await !ledgers[1].sharedFiles().contains { $0.name == name })
            #expect(try database.run("SELECT COUNT(*) FROM shared_piece") == "2")
            let left = try FileManager.default.contentsOfDirectory(atPath: database.directory.path)
            #expect(Set(left) == ["source", "copy"])
        }
    }

    @Test(
        "What was begun goes on, by whoever has the file; another file under its name is refused, changed bytes are told"
    )
    func faults() async throws {
        try await withServers { stores, database in
            let ledger = try #require(stores[0].sharedLedger)
            let (source, copy) = (database.directory.file("source"), database.directory.file("copy"))
            let bytes = noise((9 << 20) + 1, seed: 3)
            try bytes.write(to: URL(fileURLWithPath: source))
            try database.run(
                """
                INSERT INTO shared_file VALUES ('f', 'coming', \(bytes.count), '', 0), ('g', 'coming', 7, '', 0);
                INSERT INTO shared_piece VALUES ('f', 0, '\\x00')
                """)
            #expect(try await !ledger.fetch("f", to: copy))
            await expectError(kind: "invalid file") { try await ledger.share("g", from: source) }
            // A piece of another size is none of this file.
            try await ledger.share("f", from: source)
            #expect(try await ledger.fetch("f", to: copy))
            try database.run("UPDATE shared_piece SET bytes = '\\x00' WHERE number = 1")
            await expectError(kind: "storage") { try await ledger.fetch("f", to: copy) }
            #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == bytes)
            await expectError(kind: "storage") { try await ledger.fetch("f", to: "\(source)/none") }
            await expectError(kind: "storage") { try await ledger.share("h", from: "\(source)/none") }
        }
    }

    @Test("An enrolment that the active model has not embedded is refused, whichever server has exchanged it")
    func oldModel() async throws {
        try await withServers { stores, _ in
            try await stores[0].ledger.activate("m", finishing: nil, moving: nil)
            var enrolment = Enrolment(identity: "a", embeddings: [embedding([1, 0])])
            enrolment.activeModel = "m"
            _ = try await stores[1].enrol(enrolment, in: "g")
            try await stores[0].ledger.activate("n", finishing: nil, moving: nil)
            await expectError(.modelChanged(active: "n")) { [enrolment] in
                try await stores[1].enrol(enrolment, in: "g")
            }
            enrolment.embeddings.append(embedding([1, 0], model: "n"))
            _ = try await stores[1].enrol(enrolment, in: "g")
            #expect(try await stores[1].sightingCount() == 2)
        }
    }

    @Test("A candidate becomes active only when nothing is lacking and its job still runs")
    func candidate() async throws {
        try await withServers { stores, _ in
            let ledger = try #require(stores[0].sharedLedger)
            var job = JobRecord(kind: "activation", model: "n")
            try await stores[0].ledger.save(job)
            let candidate = ModelPlan.Candidate(model: "n", job: job.id)
            try await ledger.nominate(candidate)
            try await ledger.prepared("n", failure: nil)
            try await stores[1].sharedLedger?.prepared("n", failure: "no room")
            let plan = try await ledger.modelPlan()
            #expect(plan.candidate == candidate && plan.preparations.compactMap(\.failure) == ["no room"])
            #expect(Set(plan.preparations.map(\.member)) == Set(try await stores[0].members().map(\.id)))
            #expect(try await ledger.embeddedPlace(of: "n") == 0)
            let sighting = try await stores[1].enrol(
                Enrolment(identity: "a", embeddings: [embedding([1, 0])]), in: "g"
            ).sighting
            #expect(try await ledger.embeddedPlace(of: "n") == nil)
            job.state = .succeeded
            #expect(try await !ledger.activate(candidate, embeddedTo: 0, finishing: job, moving: nil))
            try await stores[0].addEmbeddings([
                EmbeddingAddition(embedding([0, 1], model: "n"), to: sighting.id, in: "g")
            ])
            #expect(try await ledger.activate(candidate, embeddedTo: 0, finishing: job, moving: nil))
            let after = try await ledger.modelPlan()
            #expect(after.active == "n" && after.candidate == nil && after.preparations.isEmpty)
            let ended = job
            await #expect(throws: CancellationError.self) {
                try await ledger.activate(candidate, embeddedTo: 0, finishing: ended, moving: nil)
            }
        }
    }
}
