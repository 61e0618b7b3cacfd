import Inference
import Tensor

/// Puts a file's tensors where they belong in a model, one after the other.
struct Placement {
    private let configuration: ModelConfiguration
    private let source: ForeignBackbone
    private let interpolation: PositionEmbedding.Interpolation
    /// The model's, with what was placed.
    private(set) var weights: Weights
    /// Paths that something was found for.
    private(set) var found: Set<String> = []
    /// Elements of the file that have a place.
    private(set) var placed = 0
    /// As `BackboneImport` has them.
    private(set) var matched: [String] = []
    private(set) var adapted: [String: String]
    private(set) var skipped: [String: String]
    private(set) var unplaced: [String: String] = [:]
    private(set) var positions: BackboneImport.PositionFit?

    init(
        _ source: ForeignBackbone, _ configuration: ModelConfiguration, _ fresh: Weights,
        _ interpolation: PositionEmbedding.Interpolation
    ) {
        (self.configuration, self.source, self.interpolation) = (configuration, source, interpolation)
        (weights, adapted, skipped) = (fresh, source.adapted, source.skipped)
    }

    /// Places a tensor, or notes why it has no place.
    mutating func place(_ name: String, _ tensor: Tensor) {
        let paths = configuration.paths(ofBackbone: name).filter { weights[$0] != nil }
        guard let first = paths.first, let wanted = weights[first]?.shape else {
            if let reason = configuration.reasonToSkip(name, tensor) {
                skipped[name] = reason
            } else {
                unplaced[name] = configuration.reasonWithoutPlace(name)
            }
            return
        }
        guard let fitted = fit(name, tensor, wanted) else {
            unplaced[name] = "expected shape \(wanted), found \(tensor.shape)"
            return
        }
        for path in paths { weights[path] = fitted }
        found.formUnion(paths)
        placed += tensor.count
    }

    /// A tensor of the shape wanted; nil if it cannot be had.
    private mutating func fit(_ name: String, _ tensor: Tensor, _ wanted: Shape) -> Tensor? {
        if tensor.shape == wanted {
            if adapted[name] == nil { matched.append(name) }
            return tensor
        }
        guard name == "pos_embed", case .vit(let vit) = configuration.backbone, tensor.shape.rank == 3,
            tensor.shape[0] == 1, tensor.shape[2] == vit.width
        else { return nil }
        // Of square images: before the patches' come the class token's and the distillation token's, or neither, where these
        // have their positions added already.
        let count = tensor.shape[1]
        let prefixes = source.tensors["dist_token"] == nil ? [1, 0] : [2, 0]
        for prefix in prefixes {
            let side = Int(Double(count - prefix).squareRoot())
            if side > 0, side * side == count - prefix { return fit(tensor, prefix, side, vit) }
        }
        return nil
    }

    private mutating func fit(
        _ tensor: Tensor, _ prefix: Int, _ side: Int, _ vit: ModelConfiguration.Backbone.ViT
    ) -> Tensor {
        let grid = vit.grid(height: configuration.input.height, width: configuration.input.width)
        var fitted = tensor
        adapted["pos_embed"] = "positions of other tokens"
        if side != grid.rows || side != grid.columns {
            fitted = PositionEmbedding.resized(
                tensor, prefix: prefix, from: (side, side), to: (grid.rows, grid.columns), interpolation)
            positions = .init(from: [side, side], to: [grid.rows, grid.columns], interpolation: interpolation)
            adapted["pos_embed"] =
                "fitted from \(side)×\(side) to \(grid.rows)×\(grid.columns) patches, \(interpolation.rawValue)"
        }
        return Self.withPrefix(vit.prefix, fitted, prefix)
    }

    /// A distillation token's position is added as the class token's, or left out; without any they are zeros.
    private static func withPrefix(_ wanted: Int, _ positions: Tensor, _ found: Int) -> Tensor {
        if found == 0 { return Tensor.concatenated([.zeros([1, wanted, positions.shape[2]]), positions], axis: 1) }
        let body = positions.sliced(axis: 1, found..<positions.shape[1])
        let heads = (0..<wanted).map { token in
            positions.sliced(axis: 1, min(token, found - 1)..<(min(token, found - 1) + 1))
        }
        return Tensor.concatenated(heads + [body], axis: 1)
    }
}
