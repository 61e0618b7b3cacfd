import Foundation
import Testing

@Suite("End to end: the commands")
struct MainJobTests {
    private struct Answer: Decodable {
        let model: String
        let modalities: [String]
        let embedding: [Double]
    }

    private struct Measured: Decodable {
        struct Metrics: Decodable, Equatable {
            let queries: Int
            let rank1: Double
        }
        let metrics: Metrics
    }

    private struct Evaluated: Decodable {
        let results: [Measured]
    }

    @Test("synthesize, train, serve, enroll and query agree with evaluate")
    func mainJob() async throws {
        let world = try await World()
        let (server, port) = try await world.serve()
        let address = "http://127.0.0.1:\(port)"
        try await world.triptych.succeed("enroll", "--server", address, "--gallery", "g", "--data", world.data)
        let sheet = world.folder.path("sheet.jpg")
        let online = try await world.triptych.succeed(
            "query", "--server", address, "--gallery", "g", "--data", world.data, "--sheet", sheet)
        let offline = try await world.triptych.succeed("evaluate", "--checkpoint", world.model, "--data", world.data)
        let row = { (text: String) in text.split(separator: "\n").first { $0.hasPrefix("rgb+nir+tir") } }
        #expect(row(online) != nil && row(online) == row(offline))
        #expect(FileManager.default.fileExists(atPath: sheet))
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
    }

    @Test("prune: a smaller model, whose figures are those of evaluate, and which inspect explains")
    func prune() async throws {
        let world = try await World()
        let output = world.folder.path("pruned")
        let figures = try await world.triptych.succeed(
            "prune", "--checkpoint", world.model, "--config", world.folder.path("recipe.yaml"), "--data", world.data,
            "--output", output, "--structure", "units", "--targets", "0.5", "--steps", "2", "--json")
        let model = "\(output)/model.safetensors"
        let evaluated = try await world.triptych.succeed(
            "evaluate", "--checkpoint", model, "--data", world.data, "--together", "--json")
        let pruned = try JSONDecoder().decode([Measured].self, from: Data(figures.utf8))
        let results = try JSONDecoder().decode(Evaluated.self, from: Data(evaluated.utf8)).results
        #expect(pruned.count == 2 && pruned[1].metrics == results[0].metrics)
        let inspected = try await world.triptych.succeed("inspect", model)
        #expect(inspected.contains("pruned to 1 heads a block; pruned to 16 neurons a block"))
        let size = { try FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int ?? 0 }
        #expect(try size(model) < size(world.model))
    }

    @Test(
        "prune refuses settings of what it does not take from the recipe",
        arguments: [
            ("model.input.height=32", "the model is the checkpoint's"),
            ("dropout=0.5", "the model is the checkpoint's"),
            ("stages.0.steps=3", "--steps says how long"),
        ])
    func pruneSettings(setting: String, reason: String) async throws {
        let world = try await World()
        let result = try await world.triptych.run(
            "prune", "--checkpoint", world.model, "--config", world.folder.path("recipe.yaml"), "--data", world.data,
            "--output", world.folder.path("pruned"), "--targets", "0.5", "--steps", "2", "--set", setting)
        #expect(result.status == 64 && result.error.contains(reason), "\(result.error)")
    }

    @Test("embed: images and the tensors made of them have the same embedding, for any subset of modalities")
    func embed() async throws {
        let world = try await World()
        for subset in [["rgb"], ["nir", "tir"], ["rgb", "nir", "tir"]] {
            let files = try world.triple().filter { subset.contains($0.modality) }.flatMap {
                ["--\($0.modality)", $0.path]
            }
            let (input, output) = (world.folder.path("in.safetensors"), world.folder.path("out.safetensors"))
            let process = try world.triptych.start(
                ["embed", "--checkpoint", world.model, "--save-input", input] + files)
            let answer = try JSONDecoder().decode(Answer.self, from: Data(try await process.result().output.utf8))
            #expect(answer.modalities == subset && answer.model.count == 64)
            try await world.triptych.succeed(
                "embed", "--checkpoint", world.model, "--input", input, "--output", output)
            let raw = try Data(contentsOf: URL(fileURLWithPath: output)).suffix(answer.embedding.count * 4)
            let values = raw.withUnsafeBytes { bytes in
                (0..<answer.embedding.count).map { Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
            }
            let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(zip(values, answer.embedding).allSatisfy { abs($0 / norm - $1) < 1e-6 })
        }
    }
}
