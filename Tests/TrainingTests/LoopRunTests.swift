import Documents
import Foundation
import Inference
import Testing
import Training

@Suite("The training loop's options, in runs")
struct LoopRunTests {
    private func dataset() throws -> TriplesDataset { try TriplesDataset(root: Fixture.url("replay/data")) }

    /// Trains into a scratch folder and hands it over.
    private func train(_ settings: [String], _ check: (URL, [StepRecord]) throws -> Void) throws {
        let folder = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        let recipe = try Recipe(yaml: text, settings: settings)
        var records: [StepRecord] = []
        try Trainer(recipe: recipe, dataset: dataset(), output: folder, seed: 5).run {
            if case .stepped(let record, _, _) = $0 { records.append(record) }
        }
        try check(folder, records)
    }

    private func weights(_ folder: URL, _ name: String = "model") throws -> Weights {
        try Checkpoint.load(path: folder.appendingPathComponent("\(name).safetensors").path).weights
    }

    @Test("freeze_for: weights stay as they are for that long, in steps or epochs", arguments: ["2", "1 epochs"])
    func freezing(length: String) throws {
        for isOver in [false, true] {
            let settings = [
                "stages.0.freeze_for=\(isOver ? length : "99")", "stages.0.steps=8", "stages.1.steps=1",
                "stages.1.freeze=['*backbone*']",
            ]
            try train(settings) { folder, _ in
                let (before, after) = (try weights(folder, "checkpoints/initial"), try weights(folder))
                let path = "backbone.blocks.0.attn.qkv.weight"
                #expect((before[path]?.scalars != after[path]?.scalars) == isOver)
            }
        }
    }

    @Test("the average of weights is what is published")
    func averaging() throws {
        // The second step changes nothing but statistics.
        let settings = ["stages.0.steps=1", "stages.1.steps=1", "stages.1.learning_rate=0"]
        var models: [Weights] = []
        var initial = Weights()
        for more in [[], ["ema=0.5"]] {
            try train(settings + more) { folder, _ in
                models.append(try weights(folder))
                initial = try weights(folder, "checkpoints/initial")
            }
        }
        for (path, first) in initial.tensors where !path.contains("running_") {
            let (last, average) = (try #require(models[0][path]).scalars, try #require(models[1][path]).scalars)
            let expected = zip(first.scalars, last).map { 0.25 * $0 + 0.75 * $1 }
            #expect(relativeError(average, expected) < 1e-6 || expected.allSatisfy { $0 == 0 }, "\(path)")
        }
    }

    @Test("batches lose modalities as often as asked for, and a replay repeats what was left")
    func modalityDropout() throws {
        try train(["modality_dropout=0.5", "stages.0.steps=60", "stages.1.steps=1"]) { folder, records in
            let left = records.compactMap(\.modalities)
            #expect((15...45).contains(left.count))
            #expect(Set(left.map { $0.map(\.rawValue) }).count > 4 && left.allSatisfy { (1...2).contains($0.count) })
            var replay = try TrainingReplay(run: folder, dataset: dataset())
            for record in records.prefix(20) {
                #expect(try replay.step(record).loss == record.loss, "step \(record.step)")
            }
        }
    }

    @Test("each triple loses its own modalities and each image its own rectangle, and a replay repeats what was left")
    func modalityDropoutByTriple() throws {
        let settings = [
            "modality_dropout={share: 0.6, by: triple}", "augment={erase: {probability: 0.7, independent: true}}",
            "stages.0.steps=20", "stages.1.steps=5",
        ]
        try train(settings) { folder, records in
            let sets = records.flatMap { $0.sets ?? [] }
            #expect(sets.count == 25 * 12 && records.allSatisfy { $0.modalities == nil })
            #expect(
                (140...220).contains(sets.count { $0.count < 3 }) && Set(sets.map { $0.map(\.rawValue) }).count == 7)
            for record in records {
                let draws = try #require(record.augmentation)
                #expect(draws.count == 36)
                let triples = stride(from: 0, to: 36, by: 3).map { Array(draws[$0..<($0 + 3)]) }
                #expect(triples.allSatisfy { Set($0.map(\.flip)).count == 1 && Set($0.map(\.shift)).count == 1 })
                #expect(triples.contains { Set($0.map { $0.erase ?? [] }).count > 1 })
            }
            var replay = try TrainingReplay(run: folder, dataset: dataset())
            for record in records {
                #expect(try replay.step(record).loss == record.loss, "step \(record.step)")
            }
        }
    }

    @Test("batches of triplets, and batches encoded a few triples at a time, train and are replayed to the same losses")
    func tripletsInParts() throws {
        var losses: [[Float]] = []
        for atOnce in [[], ["batch.at_once=5"]] {
            let settings = ["batch={triplets: 5}", "positives=2", "stages.0.steps=6", "stages.1.steps=4"]
            try train(settings + atOnce) { folder, records in
                #expect(
                    records.allSatisfy { $0.files.count == 15 && $0.triples == (0..<5).map { [$0, $0 + 5, $0 + 10] } })
                losses.append(records.map(\.loss))
                var replay = try TrainingReplay(run: folder, dataset: dataset())
                for record in records { #expect(try replay.step(record).loss == record.loss, "step \(record.step)") }
            }
        }
        #expect(relativeError(losses[1], losses[0]) < 1e-4)
    }

    @Test(
        "every system learns from what is left, each image changed on its own, with groups and clipping, and is replayed",
        arguments: ["unicat", "fusion_concat", "fusion_average", "mixer"])
    func systems(name: String) throws {
        let settings = [
            "model.system=\(name)", "model.head=null", "positives=null", "model.backbone.distilled=false",
            "augment={pad: 2, grey: 0.5, channel: 0.5, independent: true, jitter: {brightness: 0.3, contrast: 0.3, "
                + "saturation: 0.3}, erase: {probability: 0.8, fill: noise}}",
            "modality_dropout=0.7",
            "stages=[{name: all, steps: 10, optimizer: sgd, nesterov: true, learning_rate: 0.01, clip_norm: 1, "
                + "freeze: ['*patch_embed*'], groups: [{match: ['*.bias'], rate: 2}], loss: {label_smoothing: 0.1}}]",
        ]
        try train(settings) { folder, records in
            var replay = try TrainingReplay(run: folder, dataset: dataset())
            for record in records {
                #expect(record.augmentation?.count == record.files.count * (record.modalities?.count ?? 3))
                #expect(try replay.step(record).loss == record.loss, "step \(record.step)")
            }
            #expect(records.contains { $0.modalities?.count == 1 } && records.contains { $0.modalities?.count == 2 })
            let (before, after) = (try weights(folder, "checkpoints/initial"), try weights(folder))
            for path in before.paths where path.contains("patch_embed") {
                #expect(before[path]?.scalars == after[path]?.scalars, "\(path)")
            }
        }
    }

    @Test(
        "patterns that mean no weight, or leave none, are refused before anything is written",
        arguments: [
            ("stages.0.freeze=[backbne.]", "freeze of stage frozen", "\"backbne.\", which means none"),
            ("stages.0.freeze=['*']", "expected something left to train", "patterns of all"),
            ("stages.1.groups=[{match: ['*.weights']}]", "groups of stage unfrozen", "\"*.weights\", which means none"),
        ])
    func patterns(setting: String, field: String, found: String) throws {
        let folder = Fixture.scratch()
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        let trainer = Trainer(
            recipe: try Recipe(yaml: text, settings: [setting]), dataset: try dataset(), output: folder, seed: 5)
        #expect {
            try trainer.run { _ in }
        } throws: { error in "\(error)".contains(field) && "\(error)".contains(found) && error is DocumentError }
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }
}
