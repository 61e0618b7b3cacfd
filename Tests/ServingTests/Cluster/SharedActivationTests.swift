import DatabaseFixtures
import Foundation
import Gallery
import Inference
import Serving
import ServingFixtures
import Synchronization
import Testing

@Suite(
    "One model, several servers",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct SharedActivationTests {
    private final class Flag: Sendable {
        private let value = Mutex(false)
        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    /// The model that was asked for last.
    private final class Target: Sendable {
        private let value = Mutex("")
        var model: String { value.withLock { $0 } }
        func set(_ model: String) { value.withLock { $0 = model } }
    }

    @Test(
        "models are exchanged by either server while both enrol: nothing is lacking, and nobody answers by an old one")
    func exchange() async throws {
        try await Servers.run { _, first, second in
            for car in 0..<6 { try await first.world.enrol("car-\(car)", seed: car) }
            let models = [try await first.world.publish(seed: 1), try await second.world.publish(seed: 2)]
            let isDone = Flag()
            let target = Target()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for (number, server) in [first, second].enumerated() {
                    group.addTask {
                        var round = 0
                        while !isDone.isSet {
                            let (name, seed) = ("own-\(number)-\(round)", 1000 * number + 10 + round % 50)
                            _ = try await server.world.enrol(name, seed: seed)
                            round += 1
                        }
                        return round
                    }
                }
                group.addTask {
                    // What one has answered by, the other answers by too, once it has the number that was current by then.
                    var asked = 0
                    while !isDone.isSet {
                        let next = target.model
                        let one = try await first.ask(1, after: 0)
                        let other = try await second.ask(1, after: first.gallery.sequence)
                        #expect(one.found.contains("car-1") && other.found.contains("car-1"))
                        if target.model == next && one.model == next { #expect(other.model == next) }
                        asked += 1
                    }
                    return asked
                }
                for swap in 0..<10 {
                    let (server, model) = (swap % 2 == 0 ? second : first, models[swap % 2])
                    target.set(model)
                    let ended = try await server.world.activate(model).record
                    #expect(ended.state == .succeeded, "\(ended)")
                    #expect(ended.result?.contains("servers_out_of_step") == false, "\(ended)")
                    // Of something that was written after it: who knows of that knows of the exchange.
                    _ = try await server.world.enrol("after-\(swap)", seed: 900 + swap)
                    let sequence = server.gallery.sequence
                    for server in [first, second] {
                        #expect(try await server.ask(swap % 6, after: sequence).model == model)
                    }
                }
                isDone.set()
                for try await count in group { #expect(count > 0) }
            }
            #expect(try await first.gallery.lacking(model: models[1], standIn: nil).sightings == 0)
            #expect(try await first.gallery.sharedLedger?.modelPlan().candidate == nil)
        }
    }

    @Test("an activation goes on at another server when the leader ends in the middle of it")
    func leaderEnds() async throws {
        try await Servers.run({ $0.swap.share = 0.005 }) { _, first, second in
            for car in 0..<130 { try await second.world.enrol("car-\(car % 7)", seed: car) }
            let model = try await first.world.publish(seed: 1)
            let job = try await second.stack.models.activate(model, isDry: false, allowsFewerModalities: false).record
            try await eventually("it has begun") { try await !second.stack.jobs.job(job.id).isWaiting }
            try await first.close()
            #expect(try await second.world.ended(job.id).record.state == .succeeded)
            #expect(second.gallery.isLeader && second.stack.registry.active.model == model)
            #expect(try await second.gallery.lacking(model: model, standIn: nil).sightings == 0)
        }
    }

    @Test("a server that cannot take the file answers nothing, and comes back with the new model")
    func outOfStep() async throws {
        try await Servers.run { _, first, second in
            try await first.world.enrol("car", seed: 1)
            let model = try await first.world.publish(seed: 1)
            try await eventually("it is fetched") { try await second.models.contains(model) }
            try await first.world.activate(model)
            let folder = second.world.models
            let other = try await {
                try FileManager.default.removeItem(at: folder)
                try Data().write(to: folder)
                return try await first.world.publish(seed: 2)
            }()
            let ended = try await first.world.activate(other).record
            #expect(ended.state == .succeeded && ended.result?.contains("servers_out_of_step") == true, "\(ended)")
            await #expect { try await second.ask(1, after: 0) } throws: {
                if case ServingError.outOfStep = $0 { true } else { false }
            }
            await #expect { try await second.world.enrol("car", seed: 2) } throws: {
                if case ServingError.outOfStep = $0 { true } else { false }
            }
            #expect(second.stack.registry.step.objection != nil)
            #expect(try await first.ask(1, after: 0).model == other)
            try FileManager.default.removeItem(at: folder)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try await eventually("it is in step again") { second.stack.registry.step.objection == nil }
            #expect(try await second.ask(1, after: 0).model == other)
        }
    }

    @Test("a server that starts while a model gets ready gets it ready too; without its job there is no candidate")
    func starting() async throws {
        try await Servers.run { servers, first, _ in
            try await first.world.enrol("car", seed: 1)
            let model = try await first.world.publish(seed: 1)
            let job = JobRecord(kind: JobKind.comparison.rawValue, model: model)
            let (signal, end) = AsyncStream.makeStream(of: Void.self)
            try await first.stack.jobs.start(job, .comparison) { handle in
                for await _ in signal { break }
                return try await handle.finished()
            }
            let ledger = try #require(first.gallery.sharedLedger)
            try await ledger.nominate(ModelPlan.Candidate(model: model, job: job.id))
            let third = try await servers.start("c")
            let own = try #require(third.gallery.sharedLedger?.member)
            #expect(try await ledger.modelPlan().preparations.contains { $0.member == own && $0.failure == nil })
            #expect(third.stack.registry.candidate?.model == model)
            let receipt = try await third.world.enrol("late", seed: 3)
            #expect(try await first.gallery.embedding(of: receipt.sighting.id, in: "g", model: model) != nil)
            end.finish()
            try await eventually("it is withdrawn") { try await ledger.modelPlan().candidate == nil }
            try await eventually("it is let go of") { third.stack.registry.candidate == nil }
            try await third.close()
        }
    }

    @Test(
        "a model that is taken in or deleted anywhere is so everywhere, also at a server that was not there meanwhile")
    func folders() async throws {
        try await Servers.run { servers, first, second in
            let models = [try await first.world.publish(seed: 1), try await second.world.publish(seed: 2)]
            for server in [first, second] {
                try await eventually("both have both") { try await server.models == Set(models) }
            }
            try await first.stack.models.delete(models[1])
            try await eventually("one is gone") { try await second.models == [models[0]] }
            try await second.close()
            try await first.stack.models.delete(models[0])
            let again = try await servers.start("b")
            try await eventually("the other is gone too") {
                let files = try FileManager.default.contentsOfDirectory(atPath: again.world.models.path)
                return try await again.models.isEmpty && !files.contains { $0.hasSuffix(".safetensors") }
            }
            #expect(try await first.models.isEmpty)
            // Whoever wants it after all sends it again.
            #expect(try await again.world.publish(seed: 1) == models[0])
            try await eventually("it is back") { try await first.models == [models[0]] }
            try await again.close()
        }
    }
}
