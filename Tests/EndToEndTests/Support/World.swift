import Foundation
import FoundationNetworking
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
        try await train(seed: 1, into: "run")
    }

    /// Trains a model with a seed of its own into a folder.
    func train(seed: Int, into name: String) async throws {
        try await triptych.succeed(
            "train", "--config", folder.path("recipe.yaml"), "--data", data, "--output", folder.path(name), "--seed",
            "\(seed)")
    }

    /// Writes the server's configuration.
    func configure(_ yaml: String) throws { try Data(yaml.utf8).write(to: folder.file("triptych.yaml")) }

    /// Starts a server with this world's model and gallery.
    ///
    /// - Parameter descriptors: how many it may have open; as many as this process, unless given.
    func serve(descriptors: Int? = nil) async throws -> (process: RunningCommand, port: Int) {
        let file = folder.path("triptych.yaml")
        if !FileManager.default.fileExists(atPath: file) { try configure("") }
        return try await triptych.serve(
            "--config", file, "--checkpoint", model, "--database", database, descriptors: descriptors)
    }

    private struct Jobs: Decodable {
        struct Job: Decodable {
            let state: String
        }

        let items: [Job]
    }

    /// Waits until no job is running, and gives how each has ended.
    func jobsEnded(_ port: Int) async throws -> [String] {
        let url = try #require(URL(string: "http://127.0.0.1:\(port)/v1/jobs"))
        while true {
            let (data, _) = try await URLSession.shared.data(from: url)
            let states = try JSONDecoder().decode(Jobs.self, from: data).items.map(\.state)
            if !states.contains("running") { return states }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// The first triple of a split, by modality.
    func triple(_ split: String = "query") throws -> [(modality: String, path: String)] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(data)/\(split)/rgb").sorted()
        let name = try #require(names.first)
        return ["rgb", "nir", "tir"].map { ($0, "\(data)/\(split)/\($0)/\(name)") }
    }
}
