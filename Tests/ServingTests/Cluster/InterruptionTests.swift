import DatabaseFixtures
import Foundation
import Gallery
import Serving
import ServingFixtures
import Testing

/// Jobs during which the lead, or the database, is lost for a while.
@Suite(
    "Interrupted jobs of several servers",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct InterruptionTests {
    /// A model that is about to be active, and an import of so many lines, both begun at the first.
    private func begin(
        _ first: Servers.Server, _ second: Servers.Server, lines: Int
    ) async throws -> (model: String, activation: String, importing: String) {
        for car in 0..<150 { try await first.world.enrol("car-\(car)", seed: car) }
        let model = try await first.world.publish(seed: 1)
        try await eventually("it is fetched") { try await second.models.contains(model) }
        let importing = try await first.importing(lines).record.id
        let activation = try await first.stack.models.activate(model, isDry: false, allowsFewerModalities: false)
        try await eventually("both have begun") {
            let jobs = try await [importing, activation.record.id].asyncMap { try await first.stack.jobs.job($0) }
            return jobs.allSatisfy { !$0.isWaiting } && jobs[0].record.done > 0
        }
        return (model, activation.record.id, importing)
    }

    /// Both have succeeded, everything is there, and by the new model, each once.
    private func verify(
        _ servers: [Servers.Server], _ begun: (model: String, activation: String, importing: String), lines: Int
    ) async throws {
        for job in [begun.importing, begun.activation] {
            let ended = try await servers[1].world.ended(job).record
            #expect(ended.state == .succeeded, "\(ended)")
        }
        let sequence = servers.map(\.gallery.sequence).max() ?? 0
        for server in servers {
            #expect(try await server.ask(7, after: sequence).model == begun.model)
            let gallery = try await server.gallery.gallery("g")
            #expect(gallery.sightings == 150 + lines && gallery.identities == 150 + lines)
        }
        #expect(try await servers[0].gallery.lacking(model: begun.model, standIn: nil).sightings == 0)
        let coverage = try await servers[0].gallery.models().first { $0.model == begun.model }
        #expect(coverage?.sightings == 150 + lines)
    }

    @Test("a leader that loses its lead and lives stops its jobs; the next one goes on, and nothing is done twice")
    func lostLead() async throws {
        try await Servers.run({ $0.swap.share = 0.05 }) { servers, first, second in
            let begun = try await begin(first, second, lines: 600)
            try servers.cutOff(first)
            try await eventually("the second leads") { second.gallery.isLeader }
            #expect(!first.gallery.isLeader)
            try await eventually("the first has let go of both") { await first.stack.jobs.unfinished.isEmpty }
            try await verify([first, second], begun, lines: 600)
            #expect(second.gallery.isLeader && !first.gallery.isLeader)
        }
    }

    @Test("an import and an activation during which the database starts anew go on, and end right")
    func restart() async throws {
        let database = try PostgreSQLServer.alone()
        try await Servers.run(in: database, { $0.swap.share = 0.05 }) { _, first, second in
            let begun = try await begin(first, second, lines: 600)
            try database.order(.stop)
            try await Task.sleep(for: .seconds(1))
            try database.order(.start)
            try await verify([first, second], begun, lines: 600)
        }
    }
}

extension Sequence where Self: Sendable {
    /// One after the other.
    fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
