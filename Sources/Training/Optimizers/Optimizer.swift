import Inference
import Tensor

/// What turns gradients into steps.
public protocol Optimizer: Sendable {
    /// One step on every weight that has a gradient; others stay as they are. O(parameters).
    ///
    /// - Parameter groups: which weights learn and decay otherwise.
    mutating func step(
        _ weights: inout Weights, gradients: [String: Tensor], learningRate: Float, groups: [ParameterGroup])

    /// What it has gathered: one that is given it goes on as this one would.
    var memory: OptimizerMemory { get set }
}

extension Optimizer {
    /// One step in which all weights are treated alike.
    public mutating func step(_ weights: inout Weights, gradients: [String: Tensor], learningRate: Float) {
        step(&weights, gradients: gradients, learningRate: learningRate, groups: [])
    }
}

/// What an optimiser has gathered about each weight.
public struct OptimizerMemory: Sendable {
    /// Such as `first.PATH`, the first moment.
    public var tensors: Weights
    /// Steps taken with each weight, by path; empty where they do not matter.
    public var steps: [String: Int]

    /// What another has gathered.
    public init(_ tensors: Weights = Weights(), steps: [String: Int] = [:]) {
        (self.tensors, self.steps) = (tensors, steps)
    }
}

/// Which optimiser, and what does not change during training.
public enum OptimizerOptions: Sendable, Equatable {
    /// AdamW, or Adam.
    case adamW(AdamW.Options)
    case sgd(SGD.Options)

    /// An optimiser that has seen no gradient.
    public func makeOptimizer() -> any Optimizer {
        switch self {
        case .adamW(let options): AdamW(options)
        case .sgd(let options): SGD(options)
        }
    }
}

/// Stochastic gradient descent with momentum (Polyak, 1964) and weight decay, in the arithmetic of PyTorch's `SGD`.
public struct SGD: Optimizer {
    /// What does not change during training.
    public struct Options: Sendable, Equatable {
        /// Added to the gradient, times the weight.
        public var weightDecay: Float
        /// What stays of the last step's direction.
        public var momentum: Float
        /// Whether a step goes in the direction that momentum will have given it (Nesterov, 1983; as PyTorch has it).
        public var isNesterov: Bool

        /// The papers' momentum unless told otherwise.
        public init(weightDecay: Float = 0, momentum: Float = 0.9, isNesterov: Bool = false) {
            (self.weightDecay, self.momentum, self.isNesterov) = (weightDecay, momentum, isNesterov)
        }
    }

    private let options: Options
    private var directions: [String: Tensor] = [:]

    /// An optimiser that has seen no gradient.
    public init(_ options: Options) { self.options = options }

    /// One step on every weight that has a gradient; others stay as they are. O(parameters).
    public mutating func step(
        _ weights: inout Weights, gradients: [String: Tensor], learningRate: Float, groups: [ParameterGroup]
    ) {
        for (path, gradient) in gradients {
            guard let weight = weights[path] else { continue }
            let factors = groups.factors(of: path)
            let decayed = gradient + weight.scaled(by: options.weightDecay * factors.decay)
            let direction = directions[path].map { $0.scaled(by: options.momentum) + decayed } ?? decayed
            let taken = options.isNesterov ? decayed + direction.scaled(by: options.momentum) : direction
            weights[path] = weight - taken.scaled(by: learningRate * factors.rate)
            directions[path] = direction
        }
    }

    /// The directions.
    public var memory: OptimizerMemory {
        get {
            var tensors = Weights()
            tensors.merge(Weights(directions), under: "direction")
            return OptimizerMemory(tensors)
        }
        set { directions = newValue.tensors.under("direction").tensors }
    }
}
