import DatabaseFixtures
import Foundation
import Gallery
import Testing

@Suite(
    "Who is at which sightings",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct SharedClaimTests {
    private let candidate = ModelPlan.Candidate(
        model: "n", job: UUID().uuidString, standIn: "m", takesEnrolments: false)

    /// Two servers that a model has embedded so many sightings for, each with an image, and another is to.
    private func run(
        _ count: Int, bytes: Int = 10, _ body: ([any SharedLedger], [GalleryStore], SharedDatabase) async throws -> Void
    ) async throws {
        try await withServers { stores, database in
            for number in 0..<count {
                let image = KeptImage(
                    modality: "rgb", contentType: "image/png", bytes: Data(repeating: UInt8(number), count: bytes))
                let one = Enrolment(
                    identity: "i\(number)", images: [image], embeddings: [embedding([1, Float(number)])])
                _ = try await stores[0].enrol(one, in: "g")
            }
            let ledgers = try stores.map { try #require($0.sharedLedger) }
            try await ledgers[0].nominate(candidate)
            #expect(try await ledgers[1].modelPlan().candidate == candidate)
            try await body(ledgers, stores, database)
        }
    }

    private func additions(_ sightings: [PendingSighting]) -> [EmbeddingAddition] {
        sightings.map { EmbeddingAddition(embedding([1, 1], model: "n"), to: $0.sighting, in: $0.gallery) }
    }

    @Test("What one has taken the other does not get, until it is given back or its connection ends")
    func taking() async throws {
        try await run(20) { ledgers, _, database in
            let first = try await ledgers[0].takePending(candidate, limit: 8, after: 0)
            let second = try await ledgers[1].takePending(candidate, limit: 100, after: 0)
            #expect(first.count == 8 && second.count == 12 && first.map(\.key) == first.map(\.key).sorted())
            #expect(first.map(\.images.first?.bytes.first) == (0..<8).map { UInt8($0) })
            #expect(Set(first.map(\.key)).isDisjoint(with: second.map(\.key)))
            #expect(try await ledgers[0].takePending(candidate, limit: 8, after: first[7].key).isEmpty)
            await ledgers[1].giveBack(second)
            let again = try await ledgers[0].takePending(candidate, limit: 100, after: first[7].key)
            #expect(again.map(\.key) == second.map(\.key))
            #expect(try await ledgers[1].takePending(candidate, limit: 100, after: 0).isEmpty)
            // Of the first, which leads.
            try database.cut(leader: true)
            try await eventually("all are to be had") {
                let found = try await ledgers[1].takePending(candidate, limit: 100, after: 0)
                await ledgers[1].giveBack(found)
                return found.count == 20
            }
        }
    }

    @Test(
        "What is added is counted to whoever has added it, once; of a candidate that is none any more nothing is added")
    func adding() async throws {
        try await run(6) { ledgers, stores, _ in
            let batches = [
                try await ledgers[0].takePending(candidate, limit: 4, after: 0),
                try await ledgers[1].takePending(candidate, limit: 4, after: 0),
            ]
            #expect(try await ledgers[0].add(additions(batches[0]), of: candidate) == 4)
            #expect(try await ledgers[1].add(additions(batches[0] + batches[1]), of: candidate) == 2)
            for (ledger, batch) in zip(ledgers, batches) { await ledger.giveBack(batch) }
            #expect(try await ledgers[0].shares(of: candidate.job) == ["server 0": 4, "server 1": 2])
            #expect(try await ledgers[0].takePending(candidate, limit: 4, after: 0).isEmpty)
            #expect(try await stores[0].lacking(model: "n", standIn: nil).sightings == 0)
            try await ledgers[0].withdrawCandidate(of: candidate.job)
            let other = ModelPlan.Candidate(model: "n", job: UUID().uuidString)
            for late in [candidate, other] {
                await #expect(throws: CancellationError.self) {
                    try await ledgers[1].add(additions(batches[1]), of: late)
                }
            }
            try await ledgers[1].nominate(other)
            #expect(try await ledgers[0].shares(of: candidate.job).isEmpty)
        }
    }

    @Test("A batch is no larger than memory allows, and what was not taken of it others get")
    func large() async throws {
        try await run(6, bytes: 24 << 20) { ledgers, _, _ in
            let first = try await ledgers[0].takePending(candidate, limit: 10, after: 0)
            let second = try await ledgers[1].takePending(candidate, limit: 10, after: 0)
            #expect(first.count == 3 && second.count == 3)
            #expect(Set((first + second).map(\.key)).count == 6)
        }
    }

    @Test("A candidate that takes enrolments already goes on to, whoever takes its job up")
    func nominating() async throws {
        try await run(1) { ledgers, _, _ in
            let next = ModelPlan.Candidate(model: "n", job: candidate.job, standIn: "m")
            try await ledgers[0].nominate(next)
            try await ledgers[1].nominate(candidate)
            #expect(try await ledgers[1].modelPlan().candidate == next)
        }
    }
}
