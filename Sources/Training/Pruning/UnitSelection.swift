import Inference
import Tensor

/// Which units stay, for every layer and network of a backbone.
///
/// The networks of a system have the same widths, but each keeps the units that it needs itself.
package struct UnitSelection: Sendable, Equatable {
    package let layers: [UnitLayer]
    /// By layer and network, sorted indices: as many in each network of a layer.
    package let kept: [[[Int]]]

    /// What neurons and channels stay in multiples of, where a layer had as many: oneDNN computes them by vectors of 16
    /// floats, and a vector that is not full takes as long as a full one.
    package static let vector = 16

    /// Removes the least important units; of each layer at least one stays, and a number that fills vectors: the nearest one
    /// to what the share asks for.
    ///
    /// - Parameters:
    ///   - layers: of the model as it is.
    ///   - importance: of the model's weights.
    ///   - share: of the units that there were in the beginning.
    ///   - scope: whether each layer loses the share, or all of a kind compete.
    ///   - wholes: the units that each layer had in the beginning.
    package init(
        _ layers: [UnitLayer], _ importance: Importance, removing share: Double, scope: PruningPlan.Scope,
        from wholes: [Int]
    ) {
        let scores = layers.map { layer in
            layer.networks.map { importance.units($0, count: layer.count) }
        }
        let counts =
            switch scope {
            case .layer: Self.evenly(layers, wholes, share)
            case .global: Self.competing(layers, wholes, share, scores)
            }
        self.layers = layers
        let filled = zip(layers, counts).map { layer, count in Self.filled(count, of: layer) }
        kept = zip(scores, filled).map { networks, count in
            networks.map { scores in Array(Self.ranked(scores).prefix(count)).sorted() }
        }
    }

    /// Units from the most to the least important; the first of equal ones is kept longer.
    private static func ranked(_ scores: [Float]) -> [Int] {
        scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
    }

    /// The multiple of `vector` nearest to a number of units, the larger one of two; heads and layers that are too narrow
    /// keep the number.
    private static func filled(_ count: Int, of layer: UnitLayer) -> Int {
        guard layer.kind != .heads, layer.count >= vector else { return count }
        let multiple = max((count + vector / 2) / vector, 1) * vector
        return min(multiple, layer.count)
    }

    private static func evenly(_ layers: [UnitLayer], _ wholes: [Int], _ share: Double) -> [Int] {
        zip(layers, wholes).map { layer, whole in
            min(layer.count, max(1, whole - Int((Double(whole) * share).rounded())))
        }
    }

    /// How many units of each layer stay if all of a kind compete. Networks lose their units together: the r-th best of
    /// each stand or fall by their mean.
    private static func competing(
        _ layers: [UnitLayer], _ wholes: [Int], _ share: Double, _ scores: [[[Float]]]
    ) -> [Int] {
        var counts = layers.map(\.count)
        for kind in UnitLayer.Kind.allCases {
            let own = layers.indices.filter { layers[$0].kind == kind }
            let whole = own.reduce(0) { $0 + wholes[$1] }
            let removed = whole - own.reduce(0) { $0 + counts[$1] }
            let candidates = own.flatMap { layer in
                means(scores[layer].map { $0.sorted(by: >) }).dropFirst().map { (score: $0, layer: layer) }
            }
            let missing = max(Int((Double(whole) * share).rounded()) - removed, 0)
            let ordered = candidates.enumerated().sorted {
                ($0.element.score, $0.offset) < ($1.element.score, $1.offset)
            }
            for candidate in ordered.prefix(missing) { counts[candidate.element.layer] -= 1 }
        }
        return counts
    }

    /// The mean over networks, unit by unit.
    private static func means(_ networks: [[Float]]) -> [Float] {
        (networks.first ?? []).indices.map { unit in
            networks.reduce(0) { $0 + $1[unit] } / Float(networks.count)
        }
    }

    /// The configuration with the widths that stay.
    package func configuration(from old: ModelConfiguration) -> ModelConfiguration {
        var configuration = old
        let counts = { (kind: UnitLayer.Kind) in
            zip(layers, kept).filter { $0.0.kind == kind }.map { layer, kept in (layer.block, kept[0].count) }
        }
        switch old.backbone {
        case .vit(var vit):
            vit.blockHeads = counts(.heads).map(\.1)
            vit.mlpWidths = counts(.neurons).map(\.1)
            configuration.backbone = .vit(vit)
        case .resnet(var resnet):
            var widths = [[Int]](repeating: [], count: old.blockPaths.count)
            for (block, count) in counts(.channels) { widths[block].append(count) }
            resnet.innerWidths = widths
            configuration.backbone = .resnet(resnet)
        }
        return configuration
    }

    /// The weights without the units that go.
    package func apply(to weights: inout Weights) {
        for (layer, kept) in zip(layers, kept) {
            for (slices, units) in zip(layer.networks, kept) where units.count < layer.count {
                for slice in slices {
                    weights[slice.path] = weights[slice.path].map { slice.keeping(units, of: layer.count, in: $0) }
                }
            }
        }
    }
}
