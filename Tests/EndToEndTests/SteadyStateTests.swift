import Foundation
import Testing

/// What a run of a model costs, in figures that can be compared exactly, unlike times; and that it is right however the
/// machine computes it.
@Suite("End to end: how a machine computes")
struct SteadyStateTests {
    private struct Figures: Decodable {
        let allocations: Int
    }

    private struct Answer: Decodable {
        let embedding: [Float]
    }

    /// Trains a ResNet for two steps.
    private func trainResNet(
        _ world: World, depth: Int, environment: [String: String]? = nil
    ) async throws -> (model: String, output: String) {
        let lines = World.recipe.split(separator: "\n").filter { !$0.contains("head:") }
        let recipe = lines.joined(separator: "\n").replacing("system: graft", with: "system: unicat")
            .replacing(/backbone: .*/, with: "backbone: {kind: resnet, depth: \(depth)}")
            .replacing("triplet: 0.5, center: 0.0005, ", with: "")
        try Data(recipe.utf8).write(to: world.folder.file("resnet.yaml"))
        let output = world.folder.path("resnet")
        let result = try await world.triptych.start(
            ["train", "--config", world.folder.path("resnet.yaml"), "--data", world.data, "--output", output],
            environment: environment
        ).result()
        try #require(result.status == 0, "\(result.error)")
        return ("\(output)/model.safetensors", result.output)
    }

    private func environment(_ name: String, _ value: String) -> [String: String] {
        ProcessInfo.processInfo.environment.merging([name: value]) { $1 }
    }

    @Test("after the first run no buffer is allocated, whatever the batch", arguments: ["1", "3"])
    func allocations(batch: String) async throws {
        let world = try await World()
        let answer = try await world.triptych.succeed(
            "benchmark", "--checkpoint", world.model, "--batch", batch, "--runs", "20", "--json")
        #expect(try JSONDecoder().decode(Figures.self, from: Data(answer.utf8)).allocations == 0)
    }

    /// oneDNN's reference implementations are right and a hundred times slower: nothing else would tell.
    @Test("no product or convolution of training falls into oneDNN's reference implementation")
    func noReferenceImplementation() async throws {
        let world = try await World()
        let (_, output) = try await trainResNet(world, depth: 50, environment: environment("DNNL_VERBOSE", "1"))
        let primitives = output.split(separator: "\n").filter { $0.contains(",exec,") }
        let heavy = primitives.filter { $0.contains(/,(convolution|matmul|inner_product),/) }
        #expect(heavy.count > 100)
        #expect(heavy.filter { $0.contains(/,ref[^,]*,/) } == [])
    }

    @Test("the narrower instruction sets give the same embeddings", arguments: ["avx2", "generic"])
    func instructionSets(name: String) async throws {
        let world = try await World()
        let image = try #require(
            try FileManager.default.contentsOfDirectory(atPath: "\(world.data)/query/rgb").sorted().first)
        for model in [world.model, try await trainResNet(world, depth: 18).model] {
            var answers: [[Float]] = []
            for environment in [ProcessInfo.processInfo.environment, environment("TRIPTYCH_INSTRUCTIONS", name)] {
                let command = ["embed", "--checkpoint", model, "--rgb", "\(world.data)/query/rgb/\(image)"]
                let result = try await world.triptych.start(command, environment: environment).result()
                answers.append(try JSONDecoder().decode(Answer.self, from: Data(result.output.utf8)).embedding)
            }
            #expect(answers[0].count == answers[1].count && !answers[0].isEmpty)
            #expect(zip(answers[0], answers[1]).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }
}
