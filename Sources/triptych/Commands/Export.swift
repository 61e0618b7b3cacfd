import ArgumentParser
import Foundation
import Inference

/// `triptych export`.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a checkpoint without what only training needs.",
        discussion: """
            Necks, classifiers and adversaries are left out; embeddings stay what they were. The result can be served, or \
            a training can start from it (train --init). Its digest is another one.
            """)

    @Option(help: "The checkpoint.")
    var checkpoint: String
    @Option(help: "The file to write.")
    var output: String

    func run() throws {
        let loaded = try Checkpoint.load(path: checkpoint)
        var weights = loaded.weights
        var configuration = loaded.configuration
        if configuration.identities != nil {
            let left = Set(try loaded.trainingOnlyPaths())
            weights.removeAll { left.contains($0) }
            configuration.identities = nil
        }
        let digest = try Checkpoint.save(
            configuration: configuration, weights: weights, metadata: loaded.metadata,
            packed: loaded.packed.filter(weights.contains), to: output)
        let removed = loaded.weights.paths.count - weights.paths.count
        print("\(output): \(weights.parameterCount) parameters, \(removed) tensors left out\nmodel \(digest)")
    }
}
