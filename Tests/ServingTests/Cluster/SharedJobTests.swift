import DatabaseFixtures
import Foundation
import Gallery
import Serving
import ServingFixtures
import Testing

@Suite(
    "Jobs of several servers",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct SharedJobTests {
    @Test("an import that one server was asked for is done by the leader, and nothing is left of its file")
    func imported() async throws {
        try await Servers.run { _, first, second in
            let job = try await second.importing(100).record
            #expect(await second.stack.jobs.load[.gallery, default: 0] == 0)
            let ended = try await second.world.ended(job.id).record
            #expect(ended.state == .succeeded && ended.result?.contains("\"enrolled\":100") == true, "\(ended)")
            try await second.gallery.waitForSequence(first.gallery.sequence, until: .now + .seconds(240))
            #expect(try await second.gallery.gallery("g").sightings == 100)
            #expect(try await first.gallery.sharedLedger?.sharedFiles().isEmpty == true)
            for server in [first, second] {
                let folder = server.world.models.path + "-imports"
                #expect((try? FileManager.default.contentsOfDirectory(atPath: folder))?.isEmpty ?? true)
            }
        }
    }

    @Test("an import goes on elsewhere when the server that did it ends, and enrols nothing twice")
    func importGoesOn() async throws {
        try await Servers.run { _, first, second in
            let job = try await first.importing(600).record
            try await eventually("it has begun") { try await second.stack.jobs.job(job.id).record.done > 0 }
            try await first.close()
            let ended = try await second.world.ended(job.id).record
            #expect(ended.state == .succeeded, "\(ended)")
            #expect(try await second.gallery.gallery("g").sightings == 600)
            #expect(try await second.gallery.sharedLedger?.sharedFiles().isEmpty == true)
        }
    }

    @Test("any server cancels any job; what is done where it was asked for is not the leader's")
    func cancelled() async throws {
        try await Servers.run { _, first, second in
            for (owner, other, kind) in [(first, second, JobKind.comparison), (second, first, .grouping)] {
                let job = JobRecord(kind: kind.rawValue, model: "m")
                try await owner.stack.jobs.start(job, kind) { handle in
                    await handle.report(1, of: 4)
                    try await Task.sleep(for: .seconds(600))
                    return try await handle.finished()
                }
                #expect(try await !other.stack.jobs.job(job.id).hasEnded)
                await #expect(throws: ModelError.busy(job: job.id)) { try await other.stack.models.delete("m") }
                #expect(try await !other.stack.jobs.cancel(job.id))
                try await eventually("it has ended") { await owner.stack.jobs.load[kind.jobClass, default: 0] == 0 }
                #expect(try await owner.stack.jobs.job(job.id).record.state == .cancelled)
                #expect(try await other.stack.jobs.cancel(job.id))
                await #expect(throws: GalleryError.notFound(.job, job.id)) { try await owner.stack.jobs.job(job.id) }
            }
        }
    }
}
