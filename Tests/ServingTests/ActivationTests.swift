import Foundation
import Gallery
import Inference
import Serving
import ServingFixtures
import Synchronization
import enum Tensor.Precision
import Testing

@Suite("Exchanging models while galleries change")
struct ActivationTests {
    @Test("what is enrolled after everything was embedded, and before the switch, is embedded by both")
    func enrolmentBeforeTheSwitch() async throws {
        try await World.run { world in
            for car in 0..<3 { try await world.enrol("car-\(car)", seed: car) }
            let model = try await world.publish(seed: 1)
            let activation = Activation(of: model, world.parts) { try await world.enrol("late", seed: 7) }
            let job = JobRecord(kind: JobKind.activation.rawValue, model: model)
            try await world.stack.jobs.start(job, .activation) { try await activation.run($0) }
            #expect(try await world.ended(job.id).record.state == .succeeded)
            #expect(world.stack.registry.active.model == model)
            #expect(try await world.stack.gallery.lacking(model: model, standIn: nil).sightings == 0)
        }
    }

    @Test(
        "models are activated to and fro while a client enrols and deletes: nothing ends, nothing is lacking",
        arguments: [(Precision.float32, UInt64(2), 100), (.int8, 1, 20), (.bfloat16, 1, 20)])
    func toAndFro(precision: Precision, seed: UInt64, swaps: Int) async throws {
        try await World.run { world in
            for car in 0..<4 { try await world.enrol("car-\(car)", seed: car) }
            let models = [
                try await world.publish(seed: 1),
                try await world.publish(TinyModel.file(seed: seed, precision: precision).data),
            ]
            #expect(try world.stack.catalog.summary(models[1]).precision == precision)
            let isDone = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<2 {
                    group.addTask {
                        var round = 0
                        while !isDone.isSet {
                            let receipt = try await world.enrol("client-\(client)", seed: 10 + client + round % 5)
                            try await world.stack.gallery.deleteSighting(receipt.sighting.id, in: "g")
                            round += 1
                        }
                    }
                }
                for swap in 0..<swaps {
                    #expect(try await world.activate(models[swap % 2]).record.state == .succeeded)
                    #expect(world.stack.registry.active.model == models[swap % 2])
                }
                isDone.set()
                try await group.waitForAll()
            }
            #expect(try await world.stack.gallery.lacking(model: models[1], standIn: nil).sightings == 0)
        }
    }

    private final class Flag: Sendable {
        private let value = Mutex(false)
        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    @Test("thresholds follow an exchange by what a comparison has found; without one they are stale")
    func thresholds() async throws {
        try await World.run { world in
            for car in 0..<4 { for seed in [car, car] { try await world.enrol("car-\(car)", seed: seed) } }
            let (gallery, active) = (world.stack.gallery, world.stack.registry.active.model)
            try await gallery.ledger.activate(active, finishing: nil, moving: nil)
            try await gallery.setThresholds(
                [MatchThreshold(model: active, modalities: ["rgb"], threshold: 0.5)], model: active, in: "g")
            let compared = try await world.publish(seed: 1)
            let dry = try await world.stack.models.activate(compared, isDry: true, allowsFewerModalities: false)
            let report = try await world.ended(dry.record.id).record
            #expect(report.state == .succeeded, "\(report)")
            #expect(try await world.activate(compared).record.state == .succeeded)
            let moved = try #require(try await gallery.thresholds(in: "g").first { $0.model == compared })
            #expect(!moved.isStale && moved.modalities == ["rgb"])
            let other = try await world.publish(seed: 2)
            #expect(try await world.activate(other).record.state == .succeeded)
            #expect(try await gallery.thresholds(in: "g").first { $0.model == other }?.isStale == true)
        }
    }

    @Test("a model that knows fewer modalities is refused unless that is meant, and says what stops working")
    func fewerModalities() async throws {
        try await World.run { world in
            var configuration = TinyModel.configuration
            configuration.modalities = [.rgb]
            let model = try await world.publish(TinyModel.file(seed: 1, configuration: configuration).data)
            await #expect(throws: ModelError.modalitiesLost(["nir", "tir"])) { try await world.activate(model) }
            let status = try await world.stack.models.activate(model, isDry: false, allowsFewerModalities: true)
            #expect(try await world.ended(status.record.id).record.state == .succeeded)
        }
    }
}

extension World {
    var parts: Activation.Parts {
        var swap = ServingConfiguration.Swap()
        swap.share = 1
        return Activation.Parts(
            models: stack.registry, catalog: stack.catalog, gallery: stack.gallery, encoding: stack.encoding,
            swap: swap, keepsImages: true)
    }
}
