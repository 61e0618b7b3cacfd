import Foundation
import Gallery
import Testing

struct JobTests {
    @Test("Jobs come back in order as they were written last, and those cut off are found again")
    func jobs() async throws {
        try await withStore { store, directory in
            var jobs = ["a", "b", "c"].map { JobRecord(kind: "activation", model: $0) }
            for job in jobs { try await store.ledger.save(job) }
            (jobs[0].state, jobs[0].reason) = (.failed, "no disk")
            (jobs[2].done, jobs[2].total) = (3, 9)
            for job in jobs { try await store.ledger.save(job) }
            let first = try await store.ledger.jobs(PageRequest(limit: 2))
            let rest = try await store.ledger.jobs(PageRequest(limit: 2, after: first.next))
            let found = first.items + rest.items
            #expect(found.map(\.id) == jobs.map(\.id) && rest.next == nil)
            #expect(found[0].reason == "no disk" && found[2].done == 3 && found[2].total == 9)
            #expect(try await store.ledger.unfinishedJobs().map(\.model) == ["b", "c"])
            await expectError(.notFound(.job, "x")) { try await store.ledger.job("x") }
        }
    }

    @Test("A job may concern no model, says when it was begun, and goes when it has ended and is old or not wanted")
    func ended() async throws {
        try await withStore { store, _ in
            var old = JobRecord(kind: "import")
            var recent = JobRecord(kind: "backup")
            let running = JobRecord(kind: "import")
            (old.state, recent.state) = (.succeeded, .failed)
            old.startedAt = Date(timeIntervalSince1970: 5.25)
            (old.updatedAt, recent.updatedAt) = (Date(timeIntervalSince1970: 7), Date(timeIntervalSince1970: 9))
            for job in [old, recent, running] { try await store.ledger.save(job) }
            let found = try await store.ledger.job(old.id)
            #expect(found.model == nil && found.startedAt == old.startedAt)
            #expect(try await store.ledger.job(running.id).startedAt == nil)
            #expect(try await store.ledger.deleteJobs(endedBefore: Date(timeIntervalSince1970: 9)) == 1)
            await expectError(.notFound(.job, old.id)) { [old] in try await store.ledger.job(old.id) }
            await expectError(kind: "invalid state") { try await store.ledger.deleteJob(running.id) }
            try await store.ledger.deleteJob(recent.id)
            #expect(try await store.ledger.jobs(PageRequest(limit: 10)).items.map(\.id) == [running.id])
            await expectError(.notFound(.job, recent.id)) { [recent] in try await store.ledger.deleteJob(recent.id) }
        }
    }

    @Test("A model becomes active together with the end of its job, and stays so")
    func activation() async throws {
        try await withStore { try await activation($0, $1) }
    }

    private func activation(_ store: GalleryStore, _ directory: TemporaryDirectory) async throws {
        #expect(try await store.ledger.activeModel() == nil)
        var job = JobRecord(kind: "activation", model: "m2")
        try await store.ledger.activate("m1", finishing: nil, moving: nil)
        try await store.ledger.save(job)
        job.state = .succeeded
        job.result = #"{"embedded":7}"#
        try await store.ledger.activate("m2", finishing: job, moving: nil)
        var broken = JobRecord(kind: "activation", model: "m3")
        broken.result = "not JSON"
        await expectError(kind: "storage") { [broken] in
            try await store.ledger.activate("m3", finishing: broken, moving: nil)
        }
        try await store.close()
        let again = try await directory.open()
        #expect(try await again.ledger.activeModel() == "m2")
        #expect(try await again.ledger.job(job.id).result == #"{"embedded":7}"#)
        #expect(try await again.ledger.unfinishedJobs().isEmpty)
        try await again.close()
    }

    @Test("What a model lacks is counted, with what could stand in; a sample has whole identities")
    func lacking() async throws {
        try await withStore { store, _ in
            let image = KeptImage(modality: "nir", contentType: "image/png", bytes: Data([7]))
            for (number, identity) in ["a", "a", "b", "c"].enumerated() {
                let vectors = number == 3 ? [embedding([1, 0], model: "other")] : [embedding([3, 4])]
                _ = try await store.enrol(
                    Enrolment(identity: identity, images: number < 2 ? [image] : [], embeddings: vectors), in: "g")
            }
            let counts = try await store.lacking(model: "new", standIn: "m")
            #expect((counts.sightings, counts.withoutImages, counts.withoutVectors) == (4, 2, 1))
            #expect(try await store.lacking(model: "m", standIn: nil).sightings == 1)
            let pending = try #require(try await store.pendingBatch(model: "new", limit: 1).sightings.first)
            let found = try await store.embedding(of: pending.sighting, in: "g", model: "m")
            #expect(found == embedding([0.6, 0.8]))
            let sample = try await store.sample(count: 10)
            #expect(sample.count == 2)
            var identities: [Int64] = []
            for row in sample { identities.append(try #require(try await store.sampled(row)).identity) }
            #expect(identities[0] == identities[1])
        }
    }

    @Test("A batch of what a model lacks says whether there is more, whatever is erased before the next")
    func batches() async throws {
        try await withStore { store, _ in
            var ids: [String] = []
            for number in 0..<5 {
                let enrolment = Enrolment(identity: "i\(number)", embeddings: [embedding([1])])
                ids.append(try await store.enrol(enrolment, in: "g").sighting.id)
            }
            let first = try await store.pendingBatch(model: "new", limit: 3)
            #expect(first.sightings.map(\.sighting) == Array(ids[0..<3]) && first.next == first.sightings.last?.key)
            try await store.deleteSighting(ids[3], in: "g")
            try await store.deleteIdentity("i4", in: "g")
            let second = try await store.pendingBatch(model: "new", limit: 3, after: try #require(first.next))
            #expect(second.sightings.isEmpty && second.next == nil)
            #expect(try await store.pendingBatch(model: "new", limit: 3).next == nil)
            #expect(try await store.pendingBatch(model: "m", limit: 3).sightings.isEmpty)
        }
    }

    @Test("Verified files are remembered until they are forgotten")
    func checkpoints() async throws {
        try await withStore { store, _ in
            let record = CheckpointRecord(file: "a", digest: "d", bytes: 5, modifiedAt: 6, summary: "{}")
            try await store.ledger.save(record)
            try await store.ledger.save(record)
            #expect(try await store.ledger.checkpoints() == [record])
            try await store.ledger.forgetCheckpoint(file: "a")
            #expect(try await store.ledger.checkpoints().isEmpty)
        }
    }
}
