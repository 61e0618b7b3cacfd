import ArgumentParser
import Documents
import Foundation
import Inference
import Tensor
import Threads
import Training

/// `triptych prune`.
struct Prune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes a trained model smaller, fine-tuning it between the steps.",
        discussion: """
            --structure weights removes single weights of the backbone (GraFT's iterative magnitude pruning): the file \
            shrinks, the arithmetic stays. --structure units removes attention heads and hidden neurons of a ViT, or the \
            channels inside a ResNet's blocks: file and arithmetic shrink.

            Each share of --targets is reached from the model fine-tuned at the one before, by the recipe's last stage \
            with --steps in place of its length. With --sweep every target's model is published and measured, otherwise the \
            last one's. Makes a run folder: recipe.yaml, steps.jsonl, metrics.jsonl, checkpoints/, the models, and \
            figures.json, figures.txt and figures.svg: parameters, bytes, speed beside the parent, mAP and Rank-1 on the \
            query and gallery splits, or on the held-out identities where there are none. Control-C finishes the step, \
            publishes the model as it is and ends with status 75.
            """)

    @Option(help: "The model to prune.")
    var checkpoint: String
    @Option(help: "The recipe to fine-tune by: a name, see triptych recipes, or a YAML file.")
    var config: String
    @OptionGroup var dataset: DatasetOptions
    @Option(help: "The run folder to make; it must not exist or be empty.")
    var output: String
    @Option(help: "weights or units.")
    var structure = PruningPlan.Structure.weights
    @Option(help: "magnitude, or taylor: |weight · gradient| over calibration batches.")
    var method = PruningPlan.Method.magnitude
    @Option(help: "layer: each layer loses the same share; global: all compete.")
    var scope = PruningPlan.Scope.layer
    @Option(help: "Shares to remove, rising, separated by commas, such as 0.3,0.5.")
    var targets: String
    @Option(help: "Fine-tuning steps after each target; 0 for none.")
    var steps: Int
    @Option(help: "Batches that taylor averages over.")
    var calibration = 8
    @Option(help: "Weight of 1 - cosine to the unpruned model's embeddings in fine-tuning.")
    var distillation: Float = 0
    @Flag(help: "Publish and measure the model of every target.")
    var sweep = false
    @Flag(help: "Also train the parent on for as many steps without pruning, and measure it: control.safetensors.")
    var control = false
    @Option(help: "Of everything random; by default the model's own, so that the same identities stay held out.")
    var seed: UInt64?
    @Option(name: .customLong("set"), help: "Change the recipe: key.path=value. May be given more than once.")
    var settings: [String] = []
    @Flag(inversion: .prefixedNo, help: "Write report.html and report.json at the end.")
    var report = true
    @Flag(help: "Print the figures as JSON.")
    var json = false

    func run() async throws {
        let shares = targets.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard shares.allSatisfy({ $0 != nil }) else {
            throw ValidationError("--targets: expected shares separated by commas, found '\(targets)'")
        }
        let plan = try PruningPlan(
            method: method, structure: structure, scope: scope, targets: shares.compactMap { $0 }, steps: steps,
            calibration: calibration, distillation: distillation)
        let recipe = try Recipe(config: config, settings: settings)
        for setting in settings { try check(setting, recipe) }
        let pruner = try Pruner(
            plan: plan, parentPath: checkpoint, recipe: recipe,
            dataset: try dataset.open(), output: URL(fileURLWithPath: output),
            seed: seed, isSweep: sweep, hasControl: control)
        Interruption.watch()
        let display = PruningDisplay()
        let outcome = try await ComputeThread.shared.run {
            try pruner.run(isCancelled: { Interruption.hasHappened }, report: display.show)
        }
        if json {
            print(String(decoding: try PruningTable(outcome.models).json(), as: UTF8.self))
        } else {
            Output.table(PruningTable(outcome.models).rows)
            print(outcome.path)
        }
        if !outcome.isFinished { throw ExitCode(Interruption.status) }
        if report {
            await RunReporter(URL(fileURLWithPath: output), dataset.layout).writeAfterwards(dataset.data)
        }
    }
}

extension Prune {
    /// Refuses a setting of what pruning does not take from the recipe.
    private func check(_ setting: String, _ recipe: Recipe) throws {
        guard let path = try DocumentSetting(setting)?.path else { return }
        let last = recipe.stages.count - 1
        let reason: String? =
            switch (path.first, path.dropFirst().first.flatMap { Int($0) }, path.last) {
            case ("model", _, _), ("dropout", _, _): "the model is the checkpoint's"
            case ("stages", let stage?, _) where stage != last: "fine-tuning is the last stage, stages.\(last)"
            case ("stages", _, "steps"), ("stages", _, "epochs"): "--steps says how long fine-tuning is"
            default: nil
            }
        if let reason { throw ValidationError("--set \(setting): would change nothing: \(reason)") }
    }
}

extension PruningPlan.Structure: ExpressibleByArgument {}
extension PruningPlan.Method: ExpressibleByArgument {}
extension PruningPlan.Scope: ExpressibleByArgument {}
