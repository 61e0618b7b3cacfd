import Inference
import Tensor

/// Puts the weights of an ImageNet network into every backbone of a system.
public struct BackboneImport: Sendable {
    /// The system's weights, with what was found in place.
    public private(set) var weights: Weights
    /// Names that went in as they are.
    public private(set) var matched: [String] = []
    /// Names that went in changed, and how.
    public private(set) var adapted: [String: String] = [:]
    /// Names that did not go in, and why.
    public private(set) var skipped: [String: String] = [:]
    /// Paths of the system's backbones that nothing was found for.
    public private(set) var missing: [String] = []

    /// - Parameters:
    ///   - foreign: torchvision's names for a ResNet, timm's for a ViT.
    ///   - configuration: of the system.
    ///   - fresh: every weight of the system, already initialised.
    public init(_ foreign: ForeignWeights, into configuration: ModelConfiguration, fresh: Weights) {
        weights = fresh
        var found: Set<String> = []
        let source = folded(foreign.tensors)
        for (name, tensor) in source.sorted(by: { $0.key < $1.key }) {
            let paths = configuration.paths(ofBackbone: name).filter { fresh[$0] != nil }
            guard let first = paths.first, let wanted = fresh[first]?.shape else {
                skipped[name] = Self.reason(name)
                continue
            }
            guard let fitted = fit(name, tensor, wanted, configuration, source) else {
                skipped[name] = "expected shape \(wanted), found \(tensor.shape)"
                continue
            }
            for path in paths { weights[path] = fitted }
            found.formUnion(paths)
        }
        missing = fresh.paths.filter { configuration.isBackbone($0) && !found.contains($0) }
    }

    private static func reason(_ name: String) -> String {
        if name.hasPrefix("fc.") || name.hasPrefix("head") { return "a classifier of other classes" }
        return "the system has no such layer"
    }

    private mutating func fit(
        _ name: String, _ tensor: Tensor, _ wanted: Shape, _ configuration: ModelConfiguration,
        _ source: [String: Tensor]
    ) -> Tensor? {
        if tensor.shape == wanted {
            if adapted[name] == nil { matched.append(name) }
            return tensor
        }
        guard name == "pos_embed", case .vit(let vit) = configuration.backbone, tensor.shape.rank == 3,
            tensor.shape[2] == vit.width
        else { return nil }
        let prefix = source["dist_token"] == nil ? 1 : 2
        let side = Int(Double(tensor.shape[1] - prefix).squareRoot())
        guard side > 0, side * side == tensor.shape[1] - prefix else { return nil }
        let grid = vit.grid(height: configuration.input.height, width: configuration.input.width)
        let resized = PositionEmbedding.resized(
            tensor, prefix: prefix, from: (side, side), to: (grid.rows, grid.columns))
        adapted[name] = "fitted from \(side)×\(side) to \(grid.rows)×\(grid.columns) patches"
        return Self.withPrefix(vit.prefix, resized, prefix)
    }

    /// A distillation token's position is added as the class token's, or left out.
    private static func withPrefix(_ wanted: Int, _ positions: Tensor, _ found: Int) -> Tensor {
        let body = positions.sliced(axis: 1, found..<positions.shape[1])
        let heads = (0..<wanted).map { token in
            positions.sliced(axis: 1, min(token, found - 1)..<(min(token, found - 1) + 1))
        }
        return Tensor.concatenated(heads + [body], axis: 1)
    }

    /// LayerScale (CaiT, Touvron et al., 2021) folds into the layer before it: γ·(W·x + b).
    private mutating func folded(_ tensors: [String: Tensor]) -> [String: Tensor] {
        var result = tensors
        for (name, gamma) in tensors {
            let layers = [
                ".ls1.gamma": ".attn.proj", ".ls2.gamma": ".mlp.fc2", ".gamma_1": ".attn.proj", ".gamma_2": ".mlp.fc2",
            ]
            guard let (suffix, layer) = layers.first(where: { name.hasSuffix($0.key) }) else { continue }
            let path = name.dropLast(suffix.count) + layer
            guard let weight = result["\(path).weight"], let bias = result["\(path).bias"],
                weight.shape.rank == 2, gamma.shape == bias.shape, weight.shape[0] == gamma.count
            else { continue }
            result["\(path).weight"] = weight.multiplied(by: gamma, repeatedAlong: 1)
            result["\(path).bias"] = bias * gamma
            result[name] = nil
            adapted["\(path).weight"] = "LayerScale folded in"
            adapted["\(path).bias"] = "LayerScale folded in"
        }
        return result
    }
}

extension ModelConfiguration {
    /// Where a backbone's tensor goes: once a modality, once, or into both of MixER's branches.
    func paths(ofBackbone name: String) -> [String] {
        switch system {
        case .unicat, .fusionConcat, .fusionAverage, .ieee, .graft, .dmf: networkPaths.map { $0 + name }
        case .mixer: networkPaths.map { $0 + name } + branchPaths(name)
        }
    }

    private func branchPaths(_ name: String) -> [String] {
        var inner: String?
        if case .vit(let vit) = backbone {
            let last = "blocks.\(vit.depth - 1)."
            if name.hasPrefix(last) { inner = "block." + name.dropFirst(last.count) }
        }
        if name.hasPrefix("layer4.") || name.hasPrefix("norm.") { inner = name }
        return inner.map { ["erased.\($0)", "related.\($0)"] } ?? []
    }

    /// Whether a path of the system belongs to what an ImageNet network has.
    func isBackbone(_ path: String) -> Bool {
        switch system {
        case .unicat, .fusionConcat, .fusionAverage, .ieee: path.hasPrefix("encoders.")
        case .graft: path.hasPrefix("backbone.")
        case .mixer: ["backbone.", "erased.", "related."].contains { path.hasPrefix($0) }
        case .dmf: ["patch_embed.", "cls_token", "pos_embed", "blocks.", "norm."].contains { path.hasPrefix($0) }
        }
    }
}
