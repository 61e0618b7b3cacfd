import Foundation
import Inference
import Tensor

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019), or with decay as part of the gradient (Kingma and Ba, 2015), in
/// the arithmetic of PyTorch's `AdamW` and `Adam`.
public struct AdamW: Optimizer {
    /// What does not change during training.
    public struct Options: Sendable, Equatable {
        /// Decay of every parameter, times the learning rate, or part of the gradient.
        public var weightDecay: Float
        /// Whether the decay is apart from the gradient: AdamW, and not Adam.
        public var isDecoupled: Bool
        /// Decay rates of the first and second moments.
        public var betas: (Float, Float)
        /// Added to the root of the second moment.
        public var epsilon: Float

        /// PyTorch's defaults unless told otherwise.
        public init(
            weightDecay: Float = 0.01, betas: (Float, Float) = (0.9, 0.999), epsilon: Float = 1e-8,
            isDecoupled: Bool = true
        ) {
            (self.weightDecay, self.isDecoupled) = (weightDecay, isDecoupled)
            self.betas = betas
            self.epsilon = epsilon
        }

        /// Memberwise.
        public static func == (a: Options, b: Options) -> Bool {
            a.weightDecay == b.weightDecay && a.betas == b.betas && a.epsilon == b.epsilon
                && a.isDecoupled == b.isDecoupled
        }
    }

    private struct Moments: Sendable {
        var first: Tensor
        var second: Tensor
        var steps: Int
    }

    private let options: Options
    private var moments: [String: Moments] = [:]

    /// An optimiser that has seen no gradient.
    public init(_ options: Options) { self.options = options }

    /// One step on every weight that has a gradient; others stay as they are. O(parameters).
    public mutating func step(
        _ weights: inout Weights, gradients: [String: Tensor], learningRate: Float, groups: [ParameterGroup]
    ) {
        for (path, raw) in gradients {
            guard let weight = weights[path] else { continue }
            let factors = groups.factors(of: path)
            let (rate, decay) = (learningRate * factors.rate, options.weightDecay * factors.decay)
            let gradient = options.isDecoupled || decay == 0 ? raw : raw + weight.scaled(by: decay)
            let old =
                moments[path]
                ?? Moments(first: .zeros(weight.shape), second: .zeros(weight.shape), steps: 0)
            let first = Self.mixed(old.first, gradient, options.betas.0) { $0 }
            let second = Self.mixed(old.second, gradient, options.betas.1) { $0 * $0 }
            let new = Moments(first: first, second: second, steps: old.steps + 1)
            weights[path] = updated(weight, new, rate, shrinking: options.isDecoupled ? 1 - rate * decay : 1)
            moments[path] = new
        }
    }

    /// The moments.
    public var memory: OptimizerMemory {
        get {
            var tensors = Weights()
            for (path, moments) in moments {
                tensors["first.\(path)"] = moments.first
                tensors["second.\(path)"] = moments.second
            }
            return OptimizerMemory(tensors, steps: moments.mapValues(\.steps))
        }
        set {
            let (first, second) = (newValue.tensors.under("first"), newValue.tensors.under("second"))
            moments = newValue.steps.reduce(into: [:]) { moments, entry in
                guard let first = first[entry.key], let second = second[entry.key] else { return }
                moments[entry.key] = Moments(first: first, second: second, steps: entry.value)
            }
        }
    }

    /// β·moment + (1-β)·f(gradient).
    private static func mixed(
        _ moment: Tensor, _ gradient: Tensor, _ beta: Float, _ f: (Float) -> Float
    ) -> Tensor {
        moment.withUnsafeScalars { moment_ in
            gradient.withUnsafeScalars { gradient_ in
                Tensor(shape: moment.shape) { result, range in
                    for i in range { result[i] = beta * moment_[i] + (1 - beta) * f(gradient_[i]) }
                }
            }
        }
    }

    private func updated(
        _ weight: Tensor, _ moments: Moments, _ learningRate: Float, shrinking decay: Float
    ) -> Tensor {
        let step = learningRate / (1 - Float(pow(Double(options.betas.0), Double(moments.steps))))
        let correction = Float((1 - pow(Double(options.betas.1), Double(moments.steps))).squareRoot())
        let epsilon = options.epsilon
        return weight.withUnsafeScalars { weight_ in
            moments.first.withUnsafeScalars { first in
                moments.second.withUnsafeScalars { second in
                    Tensor(shape: weight.shape) { result, range in
                        for i in range {
                            let root = second[i].squareRoot() / correction + epsilon
                            result[i] = weight_[i] * decay - step * first[i] / root
                        }
                    }
                }
            }
        }
    }
}
