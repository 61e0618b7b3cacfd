import Foundation
import Inference
import Testing
import Training

/// A run folder as it is at some moment stands for a process that was killed then.
@Suite("Runs that go on", .serialized)
struct ResumeTests {
    private static let settings = [
        "validation={identities: 0.4, every: 3}", "batch.identities=3", "dropout=0.1",
        "augment={flip: 0.5, erase: 0.5, shift: 1}", "stages.0.freeze=[]",
    ]

    private func dataset() throws -> TriplesDataset { try TriplesDataset(root: Fixture.url("replay/data")) }

    private func recipe(_ settings: [String] = []) throws -> Recipe {
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        return try Recipe(yaml: text, settings: Self.settings + settings)
    }

    /// Trains to the end, and copies the folder after some of the steps.
    private func train(
        _ recipe: Recipe, into folder: URL, saving: SaveInterval, copiedAfter steps: Set<Int>
    ) throws -> [URL] {
        let run = folder.appendingPathComponent("run")
        let trainer = Trainer(recipe: recipe, dataset: try dataset(), output: run, seed: 5, saving: saving)
        var copies: [URL] = []
        try trainer.run { event in
            guard case .stepped(let record, _, _) = event, steps.contains(record.step + 1) else { return }
            let copy = folder.appendingPathComponent("killed-\(record.step + 1)")
            try? FileManager.default.copyItem(at: run, to: copy)
            copies.append(copy)
        }
        return copies
    }

    private func contents(_ run: URL) throws -> [String: Data] {
        let names = [
            "model.safetensors", "steps.jsonl", "metrics.jsonl", "checkpoints/best.safetensors",
            "checkpoints/last.safetensors",
        ]
        return Dictionary(
            uniqueKeysWithValues: try names.map { ($0, try Data(contentsOf: run.appendingPathComponent($0))) })
    }

    private func within(_ body: (URL) throws -> Void) throws {
        let folder = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try body(folder)
    }

    @Test(
        "a run that was killed at any step ends with the same bytes as one that was not: model, checkpoints and logs",
        arguments: [
            ["stages.0.optimizer=sgd"], ["ema=0.9", "modality_dropout=0.4", "stages.1.clip_norm=1"],
            ["stages.1.steps=null", "stages.1.epochs=4", "batch.sightings=2", "positives=1"],
        ])
    func killed(settings: [String]) throws {
        try within { folder in
            let recipe = try recipe(settings)
            let copies = try train(recipe, into: folder, saving: .steps(4), copiedAfter: [1, 4, 7, 8, 9, 11])
            #expect(copies.count >= 5)
            let whole = try contents(folder.appendingPathComponent("run"))
            for copy in copies {
                var first: Int?
                let outcome = try Trainer(resuming: copy).run { event in
                    if case .stepped(let record, _, _) = event { first = first ?? record.step }
                }
                #expect(outcome.isFinished)
                #expect(try #require(first) % 4 == 0)
                let found = try contents(copy)
                for (name, bytes) in whole { #expect(found[name] == bytes, "\(name) of \(copy.lastPathComponent)") }
                let left = try FileManager.default.contentsOfDirectory(
                    atPath: copy.appendingPathComponent("checkpoints").path)
                #expect(!left.contains { $0.hasPrefix("state") || $0.hasPrefix(".") }, "\(left)")
            }
        }
    }

    @Test("an interrupted run keeps its last step, publishes a model that says so, and goes on to the same weights")
    func interrupted() throws {
        try within { folder in
            let recipe = try recipe()
            _ = try train(recipe, into: folder, saving: .seconds(1e6), copiedAfter: [])
            let stopped = folder.appendingPathComponent("stopped")
            var done = 0
            let outcome = try Trainer(recipe: recipe, dataset: dataset(), output: stopped, seed: 5)
                .run(isCancelled: { done >= 5 }) { if case .stepped = $0 { done += 1 } }
            #expect(!outcome.isFinished && done == 5)
            #expect(try Checkpoint.load(path: outcome.path).configuration.training?["interrupted"]?.bool == true)
            var first: Int?
            try Trainer(resuming: stopped).run { event in
                if case .stepped(let record, _, _) = event { first = first ?? record.step }
            }
            #expect(first == 5)
            #expect(try contents(stopped) == contents(folder.appendingPathComponent("run")))
            #expect { try Trainer(resuming: stopped) } throws: { "\($0)".contains("the run is finished") }
        }
    }

    @Test("where the newest state is damaged, the one before it is taken; without any the run is refused")
    func damaged() throws {
        try within { folder in
            let copy = try #require(
                try train(recipe(), into: folder, saving: .steps(2), copiedAfter: [7]).first)
            let states = [0, 1].map { copy.appendingPathComponent("checkpoints/state-\($0).safetensors") }
            // After steps 4 and 6; the places take turns, beginning with the state before the first step.
            try Data(contentsOf: states[1]).dropLast(5).write(to: states[1])
            let trainer = try Trainer(resuming: copy)
            var first: Int?
            try trainer.run { event in
                if case .stepped(let record, _, _) = event { first = first ?? record.step }
            }
            #expect(first == 4)
            #expect(try contents(copy) == contents(folder.appendingPathComponent("run")))
            try FileManager.default.removeItem(at: copy.appendingPathComponent("model.safetensors"))
            #expect {
                try Trainer(resuming: copy)
            } throws: { "\($0)".contains("expected a state in checkpoints, found none") }
        }
    }

    @Test("a run with another recipe or other data is refused with what differs, and left as it is")
    func differences() throws { try within(differs) }

    private func differs(_ folder: URL) throws {
        let copy = try #require(
            try train(recipe(), into: folder, saving: .steps(2), copiedAfter: [7]).first)
        #expect {
            try Trainer(resuming: copy, recipe: recipe(["stages.1.learning_rate=0.5"]))
        } throws: { "\($0)".contains("stages.1.learning_rate: expected 0.001, as the run began, found 0.5") }
        let data = folder.appendingPathComponent("data")
        try FileManager.default.copyItem(at: Fixture.url("replay/data"), to: data)
        let steps = try Data(contentsOf: copy.appendingPathComponent("steps.jsonl"))
        let file = data.appendingPathComponent("train/nir/0002_c1_001.png")
        let bytes = try Data(contentsOf: file)
        // Of the same name and size: a checksum at the end, which decoders read over, is another.
        try (bytes.dropLast() + [bytes[bytes.count - 1] ^ 1]).write(to: file)
        #expect {
            try Trainer(resuming: copy, data: data).run { _ in }
        } throws: { error in
            "\(error)".contains("data, train/nir/0002_c1_001.png: expected \(bytes.count) bytes with SHA-256")
                && "\(error)".contains("found \(bytes.count) bytes with SHA-256")
        }
        try FileManager.default.moveItem(at: file, to: data.appendingPathComponent("train/nir/9_c1_1.png"))
        #expect {
            try Trainer(resuming: copy, data: data).run { _ in }
        } throws: { "\($0)".contains("data: expected train/nir/0002_c1_001.png, as the run began, found no such file") }
        try FileManager.default.removeItem(at: data.appendingPathComponent("train/nir/9_c1_1.png"))
        #expect(try Data(contentsOf: copy.appendingPathComponent("steps.jsonl")) == steps)
        let kept = copy.appendingPathComponent("recipe.yaml")
        let text = try String(contentsOf: kept, encoding: .utf8)
        try text.replacing("weight_decay: 0.05", with: "weight_decay: 0.5").write(
            to: kept, atomically: true, encoding: .utf8)
        #expect { try Trainer(resuming: copy) } throws: { "\($0)".contains("recipe.yaml, stages.0.weight_decay") }
        // What has only moved is the same.
        try text.write(to: kept, atomically: true, encoding: .utf8)
        try bytes.write(to: file)
        try Trainer(resuming: copy, data: data).run { _ in }
        #expect(try contents(copy) == contents(folder.appendingPathComponent("run")))
    }

    @Test("a folder in which another run is under way is refused")
    func busy() throws {
        try within { folder in
            let run = folder.appendingPathComponent("run")
            var refusals = 0
            try Trainer(recipe: recipe(), dataset: dataset(), output: run, seed: 5, saving: .steps(1)).run { event in
                guard case .stepped(let record, _, _) = event, record.step == 3 else { return }
                #expect(throws: TrainingError.busy(run.path)) { try Trainer(resuming: run).run { _ in } }
                refusals += 1
            }
            #expect(refusals == 1)
        }
    }
}
