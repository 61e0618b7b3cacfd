import Inference
import Tensor

/// Which single weights are kept. The others are zero, and stay so whatever an optimiser does.
public struct WeightMask: Sendable, Equatable {
    /// Whether each element is kept, row-major, by path.
    public let kept: [String: [Bool]]

    /// A mask as given.
    public init(kept: [String: [Bool]]) { self.kept = kept }

    /// Keeps what is not zero.
    public init(nonzerosOf weights: Weights, paths: some Sequence<String>) {
        var kept: [String: [Bool]] = [:]
        for path in paths { kept[path] = weights[path]?.withUnsafeScalars { $0.map { $0 != 0 } } }
        self.kept = kept
    }

    /// Removes the least important weights, the first of equal ones first.
    ///
    /// - Parameters:
    ///   - importance: of every weight that may go.
    ///   - share: of all these weights, those removed before included.
    ///   - scope: whether each tensor loses the share, or all compete.
    ///   - previous: what was removed there stays removed.
    public init(
        _ importance: Importance, removing share: Double, scope: PruningPlan.Scope, within previous: WeightMask? = nil
    ) {
        let scores = importance.elements.sorted { $0.key < $1.key }.map { path, tensor in
            let scores = tensor.scalars
            guard let kept = previous?.kept[path] else { return (path, scores) }
            return (path, zip(scores, kept).map { $1 ? $0 : -1 })
        }
        let groups = scope == .global ? [scores] : scores.map { [$0] }
        let kept = groups.flatMap { Self.kept($0, removing: share) }
        self.init(kept: Dictionary(uniqueKeysWithValues: kept))
    }

    /// O(n log n) for n weights.
    private static func kept(_ group: [(String, [Float])], removing share: Double) -> [(String, [Bool])] {
        let sorted = group.flatMap { $0.1 }.sorted()
        let count = Int((Double(sorted.count) * share).rounded())
        guard count > 0 else { return group.map { ($0, $1.map { _ in true }) } }
        let threshold = sorted[count - 1]
        // Of those at the threshold itself, only as many go as are still missing.
        var ties = count - sorted.prefix { $0 < threshold }.count
        return group.map { path, scores in
            (
                path,
                scores.map { score in
                    if score == threshold, ties > 0 {
                        ties -= 1
                        return false
                    }
                    return score >= threshold
                }
            )
        }
    }

    /// Sets what is not kept to zero.
    public func apply(to weights: inout Weights) {
        for (path, kept) in kept {
            guard let weight = weights[path] else { continue }
            weights[path] = weight.withUnsafeScalars { scalars in
                Tensor(shape: weight.shape) { result in
                    for index in result.indices { result[index] = kept[index] ? scalars[index] : 0 }
                }
            }
        }
    }

    /// How many weights are not kept.
    public var removed: Int { kept.values.reduce(0) { $0 + $1.count { !$0 } } }

    /// The share of weights that are not kept.
    public var sparsity: Double {
        let total = kept.values.reduce(0) { $0 + $1.count }
        return Double(removed) / Double(max(total, 1))
    }
}

extension ModelConfiguration {
    /// The weights that may be removed singly: of queries, keys, values, projection and MLP (GraFT, section 5.4), or of the
    /// convolutions of residual blocks.
    public func prunableWeights(in weights: Weights) -> [String] {
        let names =
            switch backbone {
            case .vit: ["attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"]
            case .resnet: ["conv1", "conv2", "conv3", "downsample.0"]
            }
        let paths = blockPaths.flatMap { $0 }.flatMap { block in names.map { "\(block).\($0).weight" } }
        return paths.filter { weights[$0] != nil }
    }
}
