import Foundation
import Testing

/// Costs that can be compared exactly, unlike times.
@Suite("End to end: what a run of a model costs")
struct SteadyStateTests {
    private struct Figures: Decodable {
        let allocations: Int
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
        let lines = World.recipe.split(separator: "\n").filter { !$0.contains("head:") }
        let recipe = lines.joined(separator: "\n").replacing("system: graft", with: "system: unicat")
            .replacing(/backbone: .*/, with: "backbone: {kind: resnet, depth: 50}")
            .replacing("triplet: 0.5, center: 0.0005, ", with: "")
        try Data(recipe.utf8).write(to: world.folder.file("resnet.yaml"))
        var environment = ProcessInfo.processInfo.environment
        environment["DNNL_VERBOSE"] = "1"
        let result = try await world.triptych.start(
            [
                "train", "--config", world.folder.path("resnet.yaml"), "--data", world.data, "--output",
                world.folder.path("resnet"),
            ], environment: environment
        ).result()
        try #require(result.status == 0, "\(result.error)")
        let primitives = result.output.split(separator: "\n").filter { $0.contains(",exec,") }
        let heavy = primitives.filter { $0.contains(/,(convolution|matmul|inner_product),/) }
        #expect(heavy.count > 100)
        #expect(heavy.filter { $0.contains(/,ref[^,]*,/) } == [])
    }
}
