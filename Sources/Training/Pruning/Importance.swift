import Inference
import Tensor

/// What each element of some weights is worth.
public struct Importance: Sendable {
    /// How it was estimated.
    public let method: PruningPlan.Method
    /// By path, of the weights' shapes.
    public private(set) var elements: [String: Tensor]

    /// Absolute values, of matrices and kernels: biases and norms say nothing about a unit's size.
    public static func magnitude(of weights: Weights, paths: some Sequence<String>) -> Importance {
        var elements: [String: Tensor] = [:]
        for path in paths {
            guard let weight = weights[path], weight.shape.rank > 1 else { continue }
            elements[path] = weight.zipped(weight) { value, _ in abs(value) }
        }
        return Importance(method: .magnitude, elements: elements)
    }

    /// |weight · gradient|, averaged over some batches (Molchanov et al., 2017, eq. 8).
    ///
    /// - Parameters:
    ///   - paths: whose worth is wanted; those without a gradient are left out.
    ///   - batches: how many, at least one.
    ///   - gradients: of the next batch, by path.
    public static func taylor(
        of weights: Weights, paths: some Sequence<String>, batches: Int, gradients: () throws -> [String: Tensor]
    ) rethrows -> Importance {
        var elements: [String: Tensor] = [:]
        for _ in 0..<batches {
            let gradients = try gradients()
            for path in paths {
                guard let weight = weights[path], let gradient = gradients[path] else { continue }
                let changes = weight.zipped(gradient) { abs($0 * $1) / Float(batches) }
                elements[path] = elements[path].map { $0 + changes } ?? changes
            }
        }
        return Importance(method: .taylor, elements: elements)
    }

    /// What a unit is worth, for every unit of one network's layer: the sum of |w·g| over its parameters, or the mean of
    /// |w| over its weights, as layers of another width must compare.
    package func units(_ slices: [UnitLayer.Slice], count: Int) -> [Float] {
        var sums = [Float](repeating: 0, count: count)
        var size = 0
        for slice in slices {
            guard let scores = elements[slice.path] else { continue }
            for (unit, sum) in slice.sums(scores, units: count).enumerated() { sums[unit] += sum }
            size += scores.count / count
        }
        return method == .taylor ? sums : sums.map { $0 / Float(max(size, 1)) }
    }
}

extension Tensor {
    /// A function of the elements of two tensors of one shape, off the tape.
    func zipped(_ other: Tensor, _ function: (Float, Float) -> Float) -> Tensor {
        withUnsafeScalars { own in
            other.withUnsafeScalars { other in
                Tensor(shape: shape) { result in
                    for index in result.indices { result[index] = function(own[index], other[index]) }
                }
            }
        }
    }
}
