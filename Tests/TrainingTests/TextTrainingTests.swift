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
        guard case .dmf(let head) = model.configuration.system else { throw TrainingError.diverged(step: 0, loss: 0) }
        let expected = ["<pad>", "a", "black", "blue", "green", "rack", "red", "van", "white", "with"]
        #expect(head.text.vocabulary == expected)
        let encoder = try MultimodalEncoder(
            configuration: model.configuration, weights: model.weights, model: model.digest)
        #expect(try await encoder.embed(text: "a RED van").count == 24)
        var replay = try TrainingReplay(run: run, dataset: dataset)
        for record in records { #expect(try replay.step(record).loss == record.loss, "step \(record.step)") }
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
