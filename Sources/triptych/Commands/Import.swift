import ArgumentParser
import Foundation
import Import
import Inference
import Training

/// `triptych import`.
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes a checkpoint from ImageNet weights of a backbone.",
        discussion: """
            Reads torchvision's ResNet or timm's ViT and DeiT, from safetensors or from a file that PyTorch saved (the ZIP, \
            legacy and tar forms; a pickle that would do more than hold tensors is refused). The weights go into \
            every modality's backbone of the recipe's model, position embeddings fitted to its grid, LayerScale folded in; \
            everything else is drawn at random. Says what went in, what did not and why. Go on with train --init.
            """)

    @Option(help: "The weights: .safetensors, .pth, .pt or .bin.")
    var weights: String
    @Option(help: "The recipe whose model is wanted: a name, see triptych recipes, or a YAML file.")
    var config: String
    @Option(help: "The checkpoint to write.")
    var output: String
    @Option(help: "Of what is drawn at random.")
    var seed: UInt64 = 1
    @Flag(help: "Print the report as JSON.")
    var json = false

    private struct Report: Encodable {
        let model: String
        let path: String
        let matched: [String]
        let adapted: [String: String]
        let skipped: [String: String]
        let missing: [String]
    }

    func run() throws {
        var model = try Recipe(config: config).model
        model.identities = 1
        let fresh = try WeightInitialization.weights(for: model, seed: seed)
        let found = BackboneImport(try ForeignWeights(path: weights), into: model, fresh: fresh)
        guard !found.matched.isEmpty else {
            throw ValidationError("\(weights): nothing in it belongs to the backbone of \(config)")
        }
        model.training = .object(["imported_from": .string(URL(fileURLWithPath: weights).lastPathComponent)])
        let digest = try Checkpoint.save(configuration: model, weights: found.weights, to: output)
        let report = Report(
            model: digest, path: output, matched: found.matched, adapted: found.adapted, skipped: found.skipped,
            missing: found.missing)
        if json { return try Output.json(report) }
        print("\(found.matched.count) tensors matched, for each of the model's backbones")
        for (name, what) in found.adapted.sorted(by: { $0.key < $1.key }) { print("adapted  \(name): \(what)") }
        for (name, why) in found.skipped.sorted(by: { $0.key < $1.key }) { print("skipped  \(name): \(why)") }
        for path in found.missing { print("missing  \(path): drawn at random") }
        print("model \(digest)\n\(output)")
    }
}
