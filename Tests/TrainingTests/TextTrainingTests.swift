import Foundation
import Inference
import Testing
import Training

@Suite("Training on texts and images")
struct TextTrainingTests {
    private static let recipe = """
        model:
          system: dmf
          modalities: [rgb, tir]
          backbone: {kind: vit, width: 24, depth: 2, heads: 3, mlp_ratio: 2, patch: 8}
          input:
            height: 16
            width: 32
            mean: {rgb: [0.5, 0.5, 0.5], tir: [0.5, 0.5, 0.5]}
            std: {rgb: [0.5, 0.5, 0.5], tir: [0.5, 0.5, 0.5]}
          head: {text: {width: 12, max_tokens: 6}}
        batch: {identities: 4, sightings: 3}
        augment: none
        validation: {identities: 0}
        stages:
          - {steps: 12, texts: 0.5, optimizer: sgd, learning_rate: 0.02, weight_decay: 0.0001}
          - {steps: 2, learning_rate: 0.001}
        """

    /// A data set whose images are the fixture's, with or without texts.
    private func dataset(_ root: URL, captions: [String: String]) throws -> TriplesDataset {
        let manager = FileManager.default
        try manager.createDirectory(at: root.appendingPathComponent("train/text"), withIntermediateDirectories: true)
        for modality in ["rgb", "nir", "tir"] {
            try manager.createSymbolicLink(
                at: root.appendingPathComponent("train/\(modality)"),
                withDestinationURL: Fixture.url("replay/data/train/\(modality)"))
        }
        for (identity, text) in captions {
            try Data(text.utf8).write(to: root.appendingPathComponent("train/text/\(identity).txt"))
        }
        return try TriplesDataset(root: root)
    }

    @Test("batches are drawn from either, the vocabulary comes from the captions, and a replay repeats both kinds")
    func either() async throws {
        let root = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: root) }
        let colours = ["Red", "blue", "green", "white", "black"]
        let captions = colours.enumerated().map { ("000\($0)", "\($1) van\n\n\($1), with a rack\n") }
        let dataset = try dataset(
            root.appendingPathComponent("data"), captions: Dictionary(uniqueKeysWithValues: captions))
        let run = root.appendingPathComponent("run")
        let trainer = Trainer(
            recipe: try Recipe(yaml: Self.recipe), dataset: dataset, output: run, seed: 2)
        var records: [StepRecord] = []
        let path = try trainer.run { if case .stepped(let record, _, _) = $0 { records.append(record) } }.path
        let texts = records.filter { $0.texts != nil }
        #expect((2...10).contains(texts.count) && texts.allSatisfy { $0.step < 12 })
        #expect(texts.allSatisfy { $0.files.isEmpty && $0.texts?.count == 12 && $0.identities.count == 12 })
        let model = try Checkpoint.load(path: path)
        guard case .dmf(let head) = model.configuration.system else {
            Issue.record("expected DMF")
            return
        }
        let expected = ["<pad>", "a", "black", "blue", "green", "rack", "red", "van", "white", "with"]
        #expect(head.text.vocabulary == expected)
        let encoder = try MultimodalEncoder(
            configuration: model.configuration, weights: model.weights, model: model.digest)
        #expect(try await encoder.embed(text: "a RED van").count == 24)
        var replay = try TrainingReplay(run: run, dataset: dataset)
        for record in records { #expect(try replay.step(record).loss == record.loss, "step \(record.step)") }
    }

    @Test("what was learnt of words is kept by a training on images alone, and new words come after the old")
    func kept() throws {
        let root = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: root) }
        let colours = ["Red", "blue", "green", "white", "black"]
        let captions = colours.enumerated().map { ("000\($0)", "\($1) van\n") }
        let texts = try dataset(
            root.appendingPathComponent("texts"), captions: Dictionary(uniqueKeysWithValues: captions))
        let images = try dataset(root.appendingPathComponent("images"), captions: [:])
        let others = try dataset(
            root.appendingPathComponent("others"),
            captions: Dictionary(uniqueKeysWithValues: captions.map { ($0.0, "a blue lorry") }))
        func train(_ settings: [String], _ dataset: TriplesDataset, _ name: String, from: Checkpoint?) throws
            -> Checkpoint
        {
            let recipe = try Recipe(yaml: Self.recipe, settings: ["stages.1.steps=1"] + settings)
            let trainer = Trainer(
                recipe: recipe, dataset: dataset, output: root.appendingPathComponent(name), initial: from, seed: 2)
            return try Checkpoint.load(path: trainer.run { _ in }.path)
        }
        let first = try train(["stages.0.steps=4"], texts, "first", from: nil)
        let settings = ["stages.0.texts=null", "stages.0.steps=2"]
        let second = try train(settings, images, "second", from: first)
        let words = { (model: Checkpoint) -> [String] in
            if case .dmf(let head) = model.configuration.system { head.text.vocabulary } else { [] }
        }
        #expect(
            words(first) == ["<pad>", "black", "blue", "green", "red", "van", "white"] && words(second) == words(first))
        for path in first.weights.paths where path.hasPrefix("text_") {
            #expect(first.weights[path]?.scalars == second.weights[path]?.scalars, "\(path)")
        }
        let third = try train(["stages.0.steps=2", "stages.0.learning_rate=0"], others, "third", from: second)
        #expect(words(third) == words(first) + ["a", "lorry"])
        let (old, new) = (try second.weights.tensor("text_embed.weight"), try third.weights.tensor("text_embed.weight"))
        #expect(old.shape == [7, 12] && new.shape == [9, 12])
        // Images alone are the second stage; the first, of a rate of 0, has seen texts.
        #expect(Array(new.scalars.prefix(old.count)) == old.scalars)
        #expect {
            try train(settings + ["model.head.text.width=8"], images, "fourth", from: first)
        } throws: {
            "\($0)".contains("model.head.text.width: expected 12, as the model that is started from has, found 8")
        }
    }

    @Test("batches of texts without texts to draw from are refused")
    func missing() throws {
        let root = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: root) }
        let dataset = try dataset(root.appendingPathComponent("data"), captions: [:])
        let run = root.appendingPathComponent("run")
        #expect {
            try Trainer(
                recipe: Recipe(yaml: Self.recipe), dataset: dataset, output: run, seed: 1
            ).run { _ in }
        } throws: { "\($0)".contains("train/text") }
        #expect(!FileManager.default.fileExists(atPath: run.path))
    }
}
