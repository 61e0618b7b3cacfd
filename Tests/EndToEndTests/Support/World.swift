import Foundation
import Testing

/// A rendered data set and a model trained on it for two steps, by the commands.
struct World {
    static let recipe = """
        model:
          system: graft
          modalities: [rgb, nir, tir]
          backbone: {kind: vit, width: 16, depth: 1, heads: 2, mlp_ratio: 2, patch: 8, distilled: true}
          input:
            height: 16
            width: 32
            mean: {rgb: [0.5, 0.5, 0.5], nir: [0.5, 0.5, 0.5], tir: [0.5, 0.5, 0.5]}
            std: {rgb: [0.5, 0.5, 0.5], nir: [0.5, 0.5, 0.5], tir: [0.5, 0.5, 0.5]}
          head: {fusion_tokens: 1, heads: 2, feedforward: 32}
        dropout: 0
        batch: {identities: 2, sightings: 2}
        augment: none
        validation: {identities: 0.3, every: 2}
        stages:
          - {name: all, steps: 2, learning_rate: 0.001, loss: {triplet: 0.5, center: 0.0005, cross_entropy: 1}}
        """

    let folder: ScratchFolder
    let triptych: Executable

    var data: String { folder.path("data") }
    var model: String { folder.path("run/model.safetensors") }
    var database: String { folder.path("gallery.sqlite") }

    init() async throws {
        folder = try ScratchFolder()
        triptych = Executable(folder: folder)
        try await triptych.succeed(
            "synthesize", "--output", data, "--identities", "10", "--cameras", "2", "--sightings", "2", "--height",
            "32",
            "--width", "64", "--seed", "3")
        try Data(Self.recipe.utf8).write(to: folder.file("recipe.yaml"))
        try await triptych.succeed(
            "train", "--config", folder.path("recipe.yaml"), "--data", data, "--output", folder.path("run"), "--seed",
            "1")
    }

    /// Starts a server with this world's model and gallery.
    func serve() async throws -> (process: RunningCommand, port: Int) {
        try await triptych.serve("--checkpoint", model, "--database", database)
    }

    /// The first triple of a split, by modality.
    func triple(_ split: String = "query") throws -> [(modality: String, path: String)] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(data)/\(split)/rgb").sorted()
        let name = try #require(names.first)
        return ["rgb", "nir", "tir"].map { ($0, "\(data)/\(split)/\($0)/\(name)") }
    }
}
