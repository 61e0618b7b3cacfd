import Documents
import Foundation
import Inference
import Tensor
import Testing
import Training

@Suite("Training runs")
struct TrainerTests {
    private struct Step: Decodable {
        let loss: Float
        let terms: [String: Float]
    }

    private func dataset() throws -> TriplesDataset { try TriplesDataset(root: Fixture.url("replay/data")) }

    private func records(_ run: URL) throws -> [StepRecord] {
        try String(contentsOf: run.appendingPathComponent("steps.jsonl"), encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(StepRecord.self, from: Data($0.utf8)) }
    }

    /// Trains into a scratch folder and hands it over.
    private func train(
        _ settings: [String] = [], seed: UInt64 = 5, cancelledAfter steps: Int = .max, _ check: (URL) throws -> Void
    ) throws {
        let folder = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        let trainer = Trainer(
            recipe: try Recipe(yaml: text, settings: settings), dataset: try dataset(),
            output: folder, seed: seed)
        var done = 0
        try trainer.run(isCancelled: { done >= steps }) { if case .stepped = $0 { done += 1 } }
        try check(folder)
    }

    @Test("twenty logged steps have the losses that the reference computes when it replays them")
    func replay() throws {
        let run = try Fixture.url("replay")
        let expected = try Fixture.json("replay/expected.json", as: [Step].self)
        var replay = try TrainingReplay(run: run, dataset: dataset())
        let records = try records(run)
        #expect(records.count == 20 && expected.count == 20)
        for (record, expected) in zip(records, expected) {
            let found = try replay.step(record)
            #expect(relativeError([found.loss], [expected.loss]) < 1e-4, "step \(record.step)")
            for (term, value) in expected.terms {
                #expect(
                    relativeError([try #require(found.terms[term])], [value]) < 1e-4, "\(term), step \(record.step)")
            }
        }
    }

    @Test("a run with augmentation and dropout is replayed to the very losses that it logged")
    func exactReplay() throws {
        let settings = [
            "augment={flip: 0.5, erase: 0.9, shift: 2}", "dropout=0.2", "stages.0.steps=5", "stages.1.steps=7",
            "drop_path=0.5", "model.backbone.depth=3",
        ]
        try train(settings) { folder in
            let records = try records(folder)
            var replay = try TrainingReplay(run: folder, dataset: dataset())
            let untouched = replay
            for record in records {
                let found = try replay.step(record)
                #expect(found.loss == record.loss && found.terms == record.terms, "step \(record.step)")
            }
            // What was drawn matters.
            #expect(records.contains { $0.augmentation?.contains { $0.flip && $0.erase != nil } == true })
            var (plain, other, lost) = (records[0], records[0], records[0])
            plain.augmentation = nil
            other.dropout = records[1].dropout
            lost.dropout = nil
            var whole = records[0]
            whole.dropPath = records[1].dropPath
            for changed in [plain, other, whole] {
                var replay = untouched
                #expect(try replay.step(changed).loss != records[0].loss)
            }
            #expect(throws: DocumentError.self) {
                var replay = untouched
                _ = try replay.step(lost)
            }
        }
    }

    @Test("the same seed gives the same weights, another seed others")
    func determinism() throws {
        var models: [[String: [Float]]] = []
        for seed in [5, 5, 6] as [UInt64] {
            try train(["stages.0.steps=2", "stages.1.steps=2"], seed: seed) { folder in
                let path = folder.appendingPathComponent("model.safetensors").path
                models.append(try Checkpoint.load(path: path).weights.tensors.mapValues(\.scalars))
            }
        }
        #expect(models[0] == models[1])
        #expect(models[0] != models[2])
    }

    @Test("a run leaves recipe, logs and a model that says where it comes from")
    func runFolder() throws {
        try train(["validation.identities=0.4", "batch.identities=3", "validation.every=5", "dropout=0.1"]) { folder in
            #expect(try records(folder).map(\.step) == Array(0..<20))
            let model = try Checkpoint.load(path: folder.appendingPathComponent("model.safetensors").path)
            #expect(model.configuration.identities == 3)
            let kept = try Recipe(path: folder.appendingPathComponent("recipe.yaml").path)
            #expect(
                kept.sampling == .groups(identities: 3, sightings: 3) && kept.dropout == 0.1 && kept.stages.count == 2)
            #expect(model.configuration.training?["seed"]?.integer == 5)
            #expect(model.configuration.training?["validation"]?["mAP"]?.number != nil)
            for file in [
                "recipe.yaml", "metrics.jsonl", "checkpoints/best.safetensors", "checkpoints/last.safetensors",
            ] {
                #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent(file).path), "\(file)")
            }
        }
    }

    @Test("lengths in epochs are passes over the images: of a stage, its warm-up and between validations")
    func epochs() throws {
        // Four identities of four sightings in batches of two with two each: a pass takes three or four steps.
        let settings = [
            "batch={identities: 2, sightings: 2}", "validation={identities: 0.2, every: 2 epochs}", "positives=1",
            "stages.0.steps=2", "stages.1.steps=null", "stages.1.epochs=5", "stages.1.schedule.warmup=2 epochs",
        ]
        try train(settings) { folder in
            let records = try records(folder).filter { $0.stage == "unfrozen" }
            let passes = Dictionary(grouping: records) { $0.epoch ?? -1 }
            #expect(passes.keys.sorted() == Array(0..<5) && passes.values.allSatisfy { (3...4).contains($0.count) })
            for pass in passes.values {
                let files = pass.flatMap(\.files)
                #expect(Set(files).count == files.count)
            }
            let warm = records.prefix { $0.epoch ?? 0 < 2 }
            #expect(zip(warm, warm.dropFirst()).allSatisfy { $0.learningRate < $1.learningRate })
            #expect(warm.last?.learningRate == 0.001)
            let metrics = try String(contentsOf: folder.appendingPathComponent("metrics.jsonl"), encoding: .utf8)
            let steps = try metrics.split(separator: "\n").map {
                try JSONDecoder().decode(Trainer.Validation.self, from: Data($0.utf8)).step
            }
            let after = { (epoch: Int) in 1 + (records.last { $0.epoch == epoch }?.step ?? 0) }
            #expect(steps == [2, after(1), after(3), after(4)])
        }
    }

    @Test("the loss falls, and frozen weights stay as they were")
    func learning() throws {
        try train([
            "stages.0.steps=15", "stages.0.learning_rate=0.005", "stages.1.steps=1", "stages.1.freeze=[backbone.]",
        ]) { folder in
            let losses = try records(folder).prefix(15).map(\.loss)
            #expect(try #require(losses.last) < 0.9 * losses[0])
            let load = { (name: String) in
                try Checkpoint.load(path: folder.appendingPathComponent(name).path).weights.tensors
            }
            let (before, after) = (try load("checkpoints/initial.safetensors"), try load("model.safetensors"))
            for (path, tensor) in before {
                let isStill = path.hasPrefix("backbone.") || path == "neck.bias"
                #expect((tensor.scalars == after[path]?.scalars) == isStill, "\(path)")
            }
        }
    }

    @Test("a cancelled run ends after its step and still leaves a model")
    func cancellation() throws {
        try train(cancelledAfter: 4) { folder in
            #expect(try records(folder).count == 4)
            _ = try Checkpoint.load(path: folder.appendingPathComponent("model.safetensors").path)
        }
    }

    @Test("a folder with anything in it is refused, and left alone")
    func refusal() throws {
        try train(["stages.0.steps=1", "stages.1.steps=1"]) { folder in
            let recipe = try Recipe(yaml: String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8))
            let before = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(throws: TrainingError.outputExists(folder.path)) {
                try Trainer(recipe: recipe, dataset: dataset(), output: folder, seed: 1).run { _ in }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == before)
        }
    }
}
