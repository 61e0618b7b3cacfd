import DatabaseFixtures
import Foundation
import Gallery
import Serving
import Testing

@Suite(
    "What servers embed together",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct SharedEmbeddingTests {
    /// A server that has taken sightings, and lets nobody have them for as long as a test lasts.
    private static func slow(_ configuration: inout ServingConfiguration) { configuration.swap.share = 0.00001 }

    private func fill(_ server: Servers.Server, _ count: Int = 400) async throws {
        for car in 0..<count { try await server.world.enrol("car-\(car % 50)", seed: car) }
    }

    /// A model that both servers have, and the job that makes it the active one.
    private func begin(_ first: Servers.Server, _ second: Servers.Server) async throws -> (model: String, job: String) {
        let model = try await first.world.publish(seed: 1)
        try await eventually("it is fetched") { try await second.models.contains(model) }
        let status = try await first.stack.models.activate(model, isDry: false, allowsFewerModalities: false)
        return (model, status.record.id)
    }

    @Test("each server embeds some, no sighting is embedded twice, and all switch when none is lacking")
    func together() async throws {
        try await Servers.run({ $0.swap.share = 0.02 }) { servers, first, second in
            try await fill(first)
            let (model, job) = try await begin(first, second)
            let ended = try await second.world.ended(job).record
            #expect(ended.state == .succeeded && ended.done == ended.total, "\(ended)")
            let ledger = try #require(first.gallery.sharedLedger)
            let shares = try await ledger.shares(of: job)
            #expect(shares["a", default: 0] > 0 && shares["b", default: 0] > 0, "\(shares)")
            #expect(shares.values.reduce(0, +) == 400)
            #expect(ended.result?.contains("\"embedded\":400") == true, "\(ended)")
            #expect(ended.result?.contains("\"embedded_by\":{") == true, "\(ended)")
            #expect(try await first.gallery.lacking(model: model, standIn: nil).sightings == 0)
            let sequence = first.gallery.sequence
            for server in [first, second] {
                #expect(try await server.ask(7, after: sequence).model == model)
                try await eventually("nothing is claimed") { try servers.claims(of: server) == 0 }
            }
        }
    }

    @Test("what a server was at that is cut off is embedded by another, and not counted twice")
    func cutOff() async throws {
        try await Servers.run({ $0.swap.share = 0.2 }, other: Self.slow) {
            servers, first, second in
            try await fill(first)
            let (model, job) = try await begin(first, second)
            try await eventually("the second is at some") { try servers.claims(of: second) > 0 }
            try servers.cutOff(second)
            let ended = try await first.world.ended(job).record
            #expect(ended.state == .succeeded, "\(ended)")
            #expect(try await first.gallery.sharedLedger?.shares(of: job) == ["a": 400])
            #expect(try await first.gallery.lacking(model: model, standIn: nil).sightings == 0)
            // It has lost what it was at, and nothing else.
            #expect(try await second.ask(7, after: first.gallery.sequence).model == model)
        }
    }

    @Test("who has ended is waited for by nobody, and who goes on has all of it embedded")
    func ended() async throws {
        try await Servers.run({ $0.swap.share = 0.2 }, other: Self.slow) {
            servers, first, second in
            try await fill(first)
            let (model, job) = try await begin(first, second)
            try await eventually("the second is at some") { try servers.claims(of: second) > 0 }
            try await second.close()
            #expect(try await first.world.ended(job).record.state == .succeeded)
            #expect(try await first.gallery.sharedLedger?.shares(of: job) == ["a": 400])
            #expect(first.stack.registry.active.model == model)
        }
    }

    @Test("what a server is at that gets nothing done is embedded by the one that leads, after a while")
    func takenOver() async throws {
        try await Servers.run({ ($0.swap.share, $0.swap.patience) = (0.2, .milliseconds(200)) }, other: Self.slow) {
            servers, first, second in
            try await fill(first)
            let (model, job) = try await begin(first, second)
            try await eventually("the second is at some") { try servers.claims(of: second) > 0 }
            #expect(try await first.world.ended(job).record.state == .succeeded)
            #expect(try await first.gallery.sharedLedger?.shares(of: job) == ["a": 400])
            // It was there all the while, and has switched with the other.
            #expect(try await second.ask(7, after: first.gallery.sequence).model == model)
            try await eventually("it is at nothing") { try servers.claims(of: second) == 0 }
        }
    }

    @Test("a cancelled activation ends the embedding at every server, and the old model answers on")
    func cancelled() async throws {
        try await Servers.run(Self.slow, other: Self.slow) {
            servers, first, second in
            try await fill(first)
            let before = first.stack.registry.active.model
            let (_, job) = try await begin(first, second)
            for server in [first, second] {
                try await eventually("both are at some") { try servers.claims(of: server) > 0 }
            }
            #expect(try await !second.stack.jobs.cancel(job))
            let ledger = try #require(first.gallery.sharedLedger)
            try await eventually("there is no candidate") { try await ledger.modelPlan().candidate == nil }
            for server in [first, second] {
                try await eventually("nothing is claimed") { try servers.claims(of: server) == 0 }
                #expect(try await server.ask(7, after: 0).model == before)
            }
            #expect(try await first.stack.jobs.job(job).record.state == .cancelled)
        }
    }

    @Test("a server without the file embeds nothing, and the others do; it is told at the end")
    func withoutFile() async throws {
        try await Servers.run { _, first, second in
            try await fill(first, 100)
            let folder = second.world.models
            try FileManager.default.removeItem(at: folder)
            try Data().write(to: folder)
            let model = try await first.world.publish(seed: 1)
            let ended = try await first.world.activate(model).record
            #expect(ended.state == .succeeded && ended.result?.contains("servers_out_of_step") == true, "\(ended)")
            #expect(try await first.gallery.sharedLedger?.shares(of: ended.id) == ["a": 100])
        }
    }
}
