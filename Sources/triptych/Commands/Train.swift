import ArgumentParser
import Foundation
import Inference
import Tensor
import Threads
import Training

/// `triptych train`.
struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model from a recipe and a data set of triples.",
        discussion: """
            Makes a run folder: recipe.yaml, steps.jsonl (a line a step, with all that a replay needs), metrics.jsonl \
            (validation on held-out identities of the train split), checkpoints/, and model.safetensors at the end. The \
            same recipe, data, seed and machine give the same weights. Control-C finishes the step, saves and stops.

            Settings change the recipe by path: --set stages.0.steps=20 --set augment=none --set dropout=0
            """)

    @Option(help: "The recipe, a YAML file; see deploy/recipes.")
    var config: String
    @Option(help: "The data set's folder.")
    var data: String
    @Option(help: "The run folder to make; it must not exist or be empty.")
    var output: String
    @Option(
        name: .customLong("init"),
        help: "A checkpoint whose weights to start from, where names and shapes agree; pruned ones stay zero.")
    var initial: String?
    @Option(help: "Of everything random.")
    var seed: UInt64 = 1
    @Option(name: .customLong("set"), help: "Change the recipe: key.path=value. May be given more than once.")
    var settings: [String] = []
    @Flag(help: "Print the outcome as JSON.")
    var json = false

    private struct Outcome: Encodable {
        let model: String
        let path: String
    }

    func run() async throws {
        let recipe = try Recipe(path: config, settings: settings)
        let trainer = Trainer(
            recipe: recipe, dataset: try TriplesDataset(root: URL(fileURLWithPath: data)),
            output: URL(fileURLWithPath: output), initial: try initial.map(Checkpoint.load(path:)), seed: seed)
        Interruption.watch()
        let display = TrainingDisplay()
        let path = try await ComputeThread.shared.run {
            try trainer.run(isCancelled: { Interruption.hasHappened }, report: display.show)
        }
        if json {
            try Output.json(Outcome(model: try SafetensorsReader(path: path).digest(), path: path))
        } else {
            print(path)
        }
    }
}
