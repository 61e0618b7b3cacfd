import ArgumentParser
import Foundation
import Inference
import Tensor

/// `triptych inspect`.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints what a checkpoint holds.",
        discussion: """
            The system, its backbone and sizes, the parameters of each part with the share of zeros among them, where the \
            model comes from, and the digest that names it.
            """)

    @Argument(help: "The checkpoint.")
    var checkpoint: String
    @Flag(help: "Print as JSON.")
    var json = false

    private struct Report: Encodable {
        let digest: String
        let bytes: Int
        let configuration: ModelConfiguration
        let parameters: Int
        let multiplyAdds: Int
        let dimension: Int
        let parts: [Checkpoint.Part]
        let trainingOnly: [String]
        let packed: [String]
        /// Weights by precision.
        let precisions: [String: Int]

        /// The share of zeros in all weights, and how the file holds them.
        var zeros: String {
            let share = String(format: "%.1f %%", parts.sparsity * 100)
            return packed.isEmpty ? share : "\(share), left out of \(packed.count) tensors of the file"
        }
    }

    func run() throws {
        let loaded = try Checkpoint.load(path: checkpoint)
        let encoder = try MultimodalEncoder(
            configuration: loaded.configuration, weights: loaded.weights, model: loaded.digest)
        let size = try FileManager.default.attributesOfItem(atPath: checkpoint)[.size] as? Int
        let report = Report(
            digest: loaded.digest, bytes: size ?? 0, configuration: loaded.configuration,
            parameters: loaded.weights.parameterCount, multiplyAdds: loaded.configuration.backboneMultiplyAdds,
            dimension: encoder.dimension, parts: loaded.parts,
            trainingOnly: loaded.configuration.identities == nil ? [] : try loaded.trainingOnlyPaths(),
            packed: loaded.packed.sorted(), precisions: Self.precisions(loaded.weights))
        if json { return try Output.json(report) }
        try print(report)
    }

    private static func precisions(_ weights: Weights) -> [String: Int] {
        weights.paths.reduce(into: [:]) { counts, path in
            let precision = (weights.formats[path] ?? .float32).precision
            counts[precision.rawValue, default: 0] += weights.shape(of: path)?.count ?? 0
        }
    }

    private func print(_ report: Report) throws {
        let configuration = report.configuration
        let input = configuration.input
        let facts = [
            ("digest", report.digest), ("system", configuration.system.name.rawValue + configuration.variant),
            ("modalities", configuration.modalities.map(\.rawValue).joined(separator: ", ")),
            ("backbone", "\(configuration.backbone.summary)"),
            ("input", "\(input.height) × \(input.width) pixels\(input.ranges)"),
            ("embedding", "\(report.dimension) elements"),
            ("parameters", "\(report.parameters) in \(report.bytes) bytes"),
            ("zeros", report.zeros),
            (
                "precision",
                report.precisions.sorted { $0.key < $1.key }.map { "\($1) parameters in \($0)" }
                    .joined(separator: ", ")
            ),
            ("arithmetic", "\(report.multiplyAdds) multiply-adds an image in the backbone"),
            ("training only", report.trainingOnly.isEmpty ? "nothing" : "\(report.trainingOnly.count) tensors"),
        ]
        for (name, value) in facts { Swift.print(name.padding(toLength: 14, withPad: " ", startingAt: 0) + value) }
        Swift.print("")
        Output.table(
            [["part", "tensors", "parameters", "zeros"]]
                + report.parts.map {
                    [$0.name, "\($0.tensors)", "\($0.parameters)", String(format: "%.1f %%", $0.sparsity * 100)]
                })
        for (name, value) in [
            ("training", configuration.training), ("pruning", configuration.pruning),
            ("quantization", configuration.quantization),
        ] {
            guard let members = value?.object else { continue }
            Swift.print("\n\(name)")
            for (key, value) in members.sorted(by: { $0.key < $1.key }) where key != "recipe" && key != SelfTest.key {
                Swift.print("  \(key): \(Output.text(value))")
            }
        }
    }
}

extension ModelConfiguration {
    /// What differs from the paper's system.
    fileprivate var variant: String {
        var parts: [String] = networks == 1 ? [] : ["\(networks) backbones a modality"]
        switch system {
        case .graft(let head): if head.fusion != .token { parts.append("fusion \(head.fusion.rawValue)") }
        case .ieee(let head):
            if !head.interaction { parts.append("no interaction") }
            if !head.relation { parts.append("no relation") }
        case .mixer(let head):
            if head.embedding != .both { parts.append("the \(head.embedding.rawValue) branch alone") }
            if head.fusion != .concatenation { parts.append("fusion \(head.fusion.rawValue)") }
        case .unicat, .fusionConcat, .fusionAverage, .dmf: break
        }
        return parts.map { ", \($0)" }.joined()
    }
}

extension ModelConfiguration.Input {
    /// What 16-bit values mean.
    fileprivate var ranges: String {
        valueRange.sorted { $0.key < $1.key }.map {
            ", 16-bit \($0.key) from \($0.value.lowerBound) to \($0.value.upperBound)"
        }
        .joined()
    }
}

extension ModelConfiguration.Backbone {
    /// In a few words.
    fileprivate var summary: String {
        switch self {
        case .resnet(let resnet):
            "ResNet-\(resnet.depth), last stride \(resnet.lastStride)"
                + Self.pruned(resnet.innerWidths?.flatMap { $0 }, "channels inside the blocks")
        case .vit(let vit):
            "ViT, width \(vit.width), depth \(vit.depth), \(vit.heads) heads, patches of \(vit.patch) every "
                + "\(vit.stride) pixels\(vit.distilled ? ", distilled" : "")" + Self.variant(vit.variant)
                + Self.pruned(vit.blockHeads, "heads a block") + Self.pruned(vit.mlpWidths, "neurons a block")
        }
    }

    /// What sets it apart from the standard transformer.
    private static func variant(_ variant: ViT.Variant) -> String {
        (variant.activation == .gelu ? "" : ", QuickGELU") + (variant.normalisesFirst ? ", normalised first" : "")
            + (variant.projection.map { ", projected to \($0)" } ?? "")
    }

    /// What pruning has left, if it has been at work.
    private static func pruned(_ widths: [Int]?, _ units: String) -> String {
        guard let least = widths?.min(), let most = widths?.max() else { return "" }
        return "; pruned to \(least == most ? "\(least)" : "\(least) to \(most)") \(units)"
    }
}
