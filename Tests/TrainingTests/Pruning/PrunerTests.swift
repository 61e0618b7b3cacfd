import Foundation
import Inference
import Tensor
import Testing
import Training

@Suite("Pruning runs", .serialized)
struct PrunerTests {
    private func recipe(_ settings: [String]) throws -> Recipe {
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        return try Recipe(yaml: text, settings: settings)
    }

    private func dataset() throws -> TriplesDataset { try TriplesDataset(root: Fixture.url("replay/data")) }

    /// What every run here has in common: identities to rank, and a model that has seen a few steps.
    private static let settings = [
        "validation.identities=0.4", "batch.identities=3", "stages.0.steps=2", "stages.1.steps=2",
        "stages.1.learning_rate=0.003",
    ]

    /// Trains a parent, prunes it, by the same recipe or a changed one, and hands over both.
    private func prune(
        _ plan: PruningPlan, _ settings: [String] = [], by changes: [String] = [], isSweep: Bool = false,
        hasControl: Bool = false, cancelledAfter steps: Int = .max,
        _ check: (Checkpoint, URL, Pruner.Outcome) throws -> Void
    ) throws {
        let folder = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        let recipe = try recipe(Self.settings + settings)
        let parent = try Trainer(
            recipe: recipe, dataset: dataset(), output: folder.appendingPathComponent("parent"), seed: 5
        ).run { _ in }.path
        let output = folder.appendingPathComponent("pruned")
        let pruner = try Pruner(
            plan: plan, parentPath: parent, recipe: try self.recipe(Self.settings + settings + changes),
            dataset: dataset(), output: output, isSweep: isSweep, hasControl: hasControl)
        var done = 0
        let outcome = try pruner.run(isCancelled: { done >= steps }) { event in
            if case .training(.stepped) = event { done += 1 }
        }
        try check(try Checkpoint.load(path: parent), output, outcome)
    }

    private func zeros(_ tensor: Tensor) -> Int { tensor.scalars.count { $0.bitPattern == 0 } }

    @Test(
        "masked weights stay exactly zero through the optimiser, its decay and its momentum",
        arguments: ["adamw", "sgd"])
    func held(optimizer: String) throws {
        let plan = try PruningPlan(targets: [0.3, 0.6], steps: 3)
        let settings = ["stages.1.optimizer=\(optimizer)", "stages.1.weight_decay=0.3"]
        try prune(plan, settings) { parent, output, _ in
            // As the optimiser left it after its last step, not the best.
            let last = try Checkpoint.load(path: output.appendingPathComponent("checkpoints/last.safetensors").path)
            let paths = last.configuration.prunableWeights(in: last.weights)
            #expect(paths.count == 4 * last.configuration.blockPaths.count)
            for path in paths {
                let (old, new) = (try #require(parent.weights[path]), try #require(last.weights[path]))
                #expect(zeros(new) == Int((Double(new.count) * 0.6).rounded()), "\(path)")
                #expect(old.scalars != new.scalars)
            }
        }
    }

    @Test("the control is the parent after as many steps, whole, and stands last in the table")
    func control() throws {
        try prune(try PruningPlan(targets: [0.3, 0.6], steps: 3), hasControl: true) { parent, output, outcome in
            #expect(outcome.isFinished && outcome.models.map(\.isControl) == [false, false, true])
            let control = try Checkpoint.load(path: output.appendingPathComponent("control.safetensors").path)
            let paths = control.configuration.prunableWeights(in: control.weights)
            #expect(paths.allSatisfy { path in control.weights[path].map(zeros) == 0 })
            #expect(paths.contains { control.weights[$0]?.scalars != parent.weights[$0]?.scalars })
            // Numbers that were zero before are not any more.
            let (whole, trained) = (outcome.models[0].size, outcome.models[2].size)
            #expect(whole.multiplyAdds == trained.multiplyAdds && whole.parameters <= trained.parameters)
            #expect(control.digest == outcome.models[2].model)
            let steps = try String(contentsOf: output.appendingPathComponent("steps.jsonl"), encoding: .utf8)
                .split(separator: "\n").map { try JSONDecoder().decode(StepRecord.self, from: Data($0.utf8)) }
            #expect(
                steps.map(\.stage) == Array(repeating: "unfrozen", count: 6) + Array(repeating: "control", count: 6))
            let rows = PruningTable(outcome.models).rows.dropFirst().map { $0[0] }
            #expect(rows == ["parent", "60.0 %", "control"])
        }
    }

    @Test("a masked model is smaller on disk, and reads back bit for bit")
    func packed() throws {
        try prune(try PruningPlan(targets: [0.5], steps: 1)) { parent, _, outcome in
            let child = try Checkpoint.load(path: outcome.path)
            #expect(child.packed == Set(child.configuration.prunableWeights(in: child.weights)))
            #expect(outcome.models[1].fileBytes < outcome.models[0].fileBytes)
            let folder = Fixture.scratch()
            defer { try? FileManager.default.removeItem(at: folder) }
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let again = folder.appendingPathComponent("again.safetensors").path
            let digest = try Checkpoint.save(
                configuration: child.configuration, weights: child.weights, packed: child.packed, to: again)
            #expect(digest == child.digest)
            let reread = try Checkpoint.load(path: again).weights.tensors
            for (path, tensor) in child.weights.tensors {
                #expect(reread[path]?.scalars.map(\.bitPattern) == tensor.scalars.map(\.bitPattern), "\(path)")
            }
        }
    }

    @Test("a run says where the model comes from, what went and what was measured")
    func provenance() throws {
        let plan = try PruningPlan(
            method: .taylor, structure: .units, scope: .global, targets: [0.2, 0.5], steps: 1, calibration: 2,
            distillation: 0.5)
        try prune(plan, isSweep: true) { parent, output, outcome in
            #expect(outcome.models.map(\.target) == [0, 0.2, 0.5] && outcome.isFinished)
            let child = try Checkpoint.load(path: outcome.path)
            let pruning = try #require(child.configuration.pruning)
            #expect(pruning["parent"]?.string == parent.digest)
            #expect(pruning["schedule"]?.array?.count == 2)
            #expect(pruning["kept"]?.number == 1 - outcome.models[2].removed)
            #expect(pruning["measured"]?["size"]?["multiply_adds"]?.integer == outcome.models[2].size.multiplyAdds)
            let space = try #require(pruning["embedding_space"])
            #expect(try #require(space["mean_cosine"]?.number) <= 1.000001)
            #expect(space["split"]?.string == "held-out")
            let origins = [child, parent].map { $0.configuration.training?.object?.filter { $0.key != SelfTest.key } }
            #expect(origins[0] == origins[1])
            let encoder = try MultimodalEncoder(
                configuration: child.configuration, weights: child.weights, model: child.digest)
            #expect(try SelfTest.check(encoder) != nil)
            for file in [
                "model-0.2.safetensors", "figures.json", "figures.txt", "figures.svg", "recipe.yaml", "data.txt",
            ] {
                #expect(FileManager.default.fileExists(atPath: output.appendingPathComponent(file).path), "\(file)")
            }
            let steps = try String(contentsOf: output.appendingPathComponent("steps.jsonl"), encoding: .utf8)
            #expect(steps.split(separator: "\n").allSatisfy { $0.contains("\"distillation\"") })
        }
    }

    @Test("the run's recipe is what was run: the checkpoint's model, and the last stage with the plan's steps")
    func recipeOfTheRun() throws {
        let plan = try PruningPlan(targets: [0.5], steps: 1)
        let changes = ["model.input.height=32", "model.head.dropout=0.3", "stages.1.steps=9"]
        try prune(plan, by: changes) { parent, output, outcome in
            let kept = try Recipe(path: output.appendingPathComponent("recipe.yaml").path)
            var model = parent.configuration
            (model.identities, model.training) = (nil, nil)
            #expect(kept.model == model)
            #expect(kept.stages.map(\.name) == ["unfrozen"] && kept.stages[0].length == .steps(1))
            #expect(try RunDescription(run: output).pruning == plan)
            let child = try Checkpoint.load(path: outcome.path).configuration
            #expect(child.pruning?["recipe"]?.string == kept.yaml)
        }
    }

    @Test("a control's validations say that they are its")
    func controlOfTheLog() throws {
        try prune(try PruningPlan(targets: [0.5], steps: 1), hasControl: true) { _, output, _ in
            let lines = try String(contentsOf: output.appendingPathComponent("metrics.jsonl"), encoding: .utf8)
                .split(separator: "\n").map { try JSONDecoder().decode(Trainer.Validation.self, from: Data($0.utf8)) }
            #expect(lines.map(\.control) == [nil, true] && lines.map(\.step) == [1, 1])
        }
    }

    @Test("the same plan, parent and seed give the same weights")
    func determinism() throws {
        let plan = try PruningPlan(method: .taylor, structure: .units, targets: [0.5], steps: 2, distillation: 1)
        var models: [[String: [Float]]] = []
        for _ in 0..<2 {
            try prune(plan) { _, _, outcome in
                models.append(try Checkpoint.load(path: outcome.path).weights.tensors.mapValues(\.scalars))
            }
        }
        #expect(models[0] == models[1])
    }

    @Test("a cancelled run ends after its step and leaves a model that says so")
    func cancellation() throws {
        try prune(try PruningPlan(targets: [0.2, 0.5], steps: 4), cancelledAfter: 2) { _, _, outcome in
            let child = try Checkpoint.load(path: outcome.path)
            #expect(child.configuration.pruning?["interrupted"]?.bool == true)
            #expect(child.configuration.pruning?["schedule"]?.array?.count == 1)
            #expect(!child.packed.isEmpty && outcome.models.count == 1 && !outcome.isFinished)
        }
    }

    @Test("training that starts from a masked model keeps its zeros, says so, and can be replayed")
    func trainedOn() throws {
        try prune(try PruningPlan(targets: [0.5], steps: 0)) { _, output, outcome in
            let start = try Checkpoint.load(path: outcome.path)
            let folder = output.appendingPathComponent("on")
            var (held, losses) = (0, [Float]())
            let path = try Trainer(
                recipe: try recipe(Self.settings + ["stages.0.weight_decay=0.3"]), dataset: dataset(), output: folder,
                initial: start, seed: 5
            ).run { event in
                if case .held(let weights) = event { held = weights }
                if case .stepped(let record, _, _) = event { losses.append(record.loss) }
            }.path
            let expected = start.packed.reduce(0) { $0 + (start.weights[$1].map(zeros) ?? 0) }
            #expect(held == expected && held > 0)
            for name in [path, folder.appendingPathComponent("checkpoints/last.safetensors").path] {
                let model = try Checkpoint.load(path: name)
                #expect(model.packed == start.packed)
                for path in start.packed {
                    let (before, after) = (try #require(start.weights[path]), try #require(model.weights[path]))
                    #expect(zip(before.scalars, after.scalars).allSatisfy { ($0 == 0) == ($1 == 0) }, "\(path)")
                    // The best model may be the first: the last one has learnt.
                    #expect(before.scalars != after.scalars || !name.hasSuffix("last.safetensors"), "\(path)")
                }
            }
            var replay = try TrainingReplay(run: folder, dataset: dataset())
            let lines = try String(contentsOf: folder.appendingPathComponent("steps.jsonl"), encoding: .utf8)
                .split(separator: "\n")
            for (line, loss) in zip(lines, losses) {
                let record = try JSONDecoder().decode(StepRecord.self, from: Data(line.utf8))
                #expect(relativeError([try replay.step(record).loss], [loss]) < 1e-4)
            }
        }
    }

    @Test("units that go from a masked model leave the others' mask as it is")
    func masked() throws {
        try prune(try PruningPlan(targets: [0.5], steps: 0)) { _, output, outcome in
            let plan = try PruningPlan(structure: .units, targets: [0.5], steps: 2)
            let again = output.appendingPathComponent("again")
            let pruner = try Pruner(
                plan: plan, parentPath: outcome.path, recipe: try recipe(Self.settings), dataset: dataset(),
                output: again)
            let child = try Checkpoint.load(path: try pruner.run { _ in }.path)
            #expect(child.configuration.pruning?["before"]?["structure"]?.string == "weights")
            for path in child.packed {
                let tensor = try #require(child.weights[path])
                #expect(zeros(tensor) > tensor.count / 4, "\(path)")
            }
        }
    }
}

@Suite("Pruning plans")
struct PruningPlanTests {
    @Test(
        "that make no sense are refused by name",
        arguments: [
            ("targets", [], 1, Float(0)), ("targets", [0.5, 0.5], 1, 0), ("targets", [1], 1, 0), ("targets", [0], 1, 0),
            ("steps", [0.5], -1, 0), ("distillation", [0.5], 1, -1), ("distillation", [0.5], 1, .nan),
        ] as [(String, [Double], Int, Float)])
    func refused(field: String, targets: [Double], steps: Int, distillation: Float) {
        #expect {
            try PruningPlan(targets: targets, steps: steps, distillation: distillation)
        } throws: { error in
            guard case .invalid(field, _, _)? = error as? PruningError else { return false }
            return true
        }
    }

    @Test("a recipe of another system is refused")
    func otherSystem() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        let recipe = try Recipe(
            yaml: text.replacing("system: graft", with: "system: unicat").split(separator: "\n")
                .filter { !$0.contains("head: {") && !$0.hasPrefix("positives") }.joined(separator: "\n"),
            settings: [
                "stages=[{steps: 1, learning_rate: 0.1}]"
            ])
        #expect(throws: PruningError.otherSystem(expected: "graft", found: "unicat")) {
            try Pruner(
                plan: try PruningPlan(targets: [0.5], steps: 1),
                parentPath: tests.appendingPathComponent("InferenceTests/Fixtures/graft.safetensors").path,
                recipe: recipe, dataset: try TriplesDataset(root: Fixture.url("replay/data")),
                output: Fixture.scratch())
        }
    }
}
