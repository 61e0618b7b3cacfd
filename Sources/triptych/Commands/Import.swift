import ArgumentParser
import Documents
import Foundation
import Import
import Inference
import Training

/// `triptych import`.
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes a checkpoint from pretrained weights of a backbone.",
        discussion: """
            Reads torchvision's ResNet, timm's ViT and DeiT, DINOv2, and the image tower of OpenAI's or OpenCLIP's CLIP, from \
            safetensors or from a file that PyTorch saved (the ZIP, TorchScript, legacy and tar forms; a pickle that would do \
            more than hold tensors is refused). The weights go into every modality's backbone of the recipe's model, position \
            embeddings fitted to its grid, LayerScale folded in; everything else is drawn at random. Says what went in, what \
            did not and why. A file that lacks a part of the backbone, or has parts that the model has no place for, is \
            refused unless --least-share allows it. Go on with train --init.
            """)

    @Option(help: "The weights: .safetensors, .pth, .pt or .bin.")
    var weights: String
    @Option(help: "The recipe whose model is wanted: a name, see triptych recipes, or a YAML file.")
    var config: String
    @Option(name: .customLong("set"), help: "Change the recipe: key.path=value. May be given more than once.")
    var settings: [String] = []
    @Option(help: "The checkpoint to write.")
    var output: String
    @OptionGroup var transfer: TransferOptions
    @Option(help: "Of what is drawn at random.")
    var seed: UInt64 = 1
    @Flag(help: "Print the report as JSON.")
    var json = false

    private struct Report: Encodable {
        let model: String
        let path: String
        let foundShare: Double
        let placedShare: Double
        let matched: [String]
        let adapted: [String: String]
        let skipped: [String: String]
        let unplaced: [String: String]
        let missing: [String]
        let notes: [String]
    }

    func run() throws {
        let options = try transfer.options
        var model = try Recipe(config: config, settings: settings).model
        model.identities = 1
        let fresh = try WeightInitialization.weights(for: model, seed: seed)
        let found = BackboneImport(
            try ForeignWeights(path: weights), into: model, fresh: fresh, positions: options.positions)
        try found.check(least: options.least, of: weights)
        model.training = .object(["initialization": provenance(of: found)])
        let digest = try Checkpoint.save(configuration: model, weights: found.weights, to: output)
        if json {
            return try Output.json(
                Report(
                    model: digest, path: output, foundShare: found.foundShare, placedShare: found.placedShare,
                    matched: found.matched, adapted: found.adapted, skipped: found.skipped, unplaced: found.unplaced,
                    missing: found.missing, notes: found.notes))
        }
        show(found)
        print("model \(digest)\n\(output)")
    }

    private func provenance(of found: BackboneImport) -> JSONValue {
        var entries: [String: JSONValue] = [
            "imported_from": .string(URL(fileURLWithPath: weights).lastPathComponent),
            "found_share": .number(found.foundShare),
        ]
        if let fit = found.positions {
            entries["positions"] = .object([
                "from": .array(fit.from.map(JSONValue.integer)), "to": .array(fit.to.map(JSONValue.integer)),
                "interpolation": .string(fit.interpolation.rawValue),
            ])
        }
        return .object(entries)
    }

    /// A line a part, with how many tensors it has.
    private func show(_ found: BackboneImport) {
        print(String(format: "found     %.1f %% of the backbone", found.foundShare * 100))
        for (part, count) in PathGroups(found.matched).counts { print("taken     \(part) \(count)") }
        for (kind, names) in [("changed", found.adapted), ("skipped", found.skipped), ("no place", found.unplaced)] {
            let groups = Dictionary(grouping: names.keys) { names[$0] ?? "" }
            for (why, names) in groups.sorted(by: { $0.key < $1.key }) {
                let title = kind.padding(toLength: 10, withPad: " ", startingAt: 0)
                print("\(title)\(names.count == 1 ? names[0] : PathGroups(names).text): \(why)")
            }
        }
        for (part, count) in PathGroups(found.missing).counts {
            print("missing   \(part) \(count): drawn at random")
        }
        for note in found.notes { print("note      \(note)") }
    }
}
