import Inference
import Tensor

/// What turns gradients into steps.
public protocol Optimizer: Sendable {
    /// One step on every weight that has a gradient; others stay as they are. O(parameters).
    mutating func step(_ weights: inout Weights, gradients: [String: Tensor], learningRate: Float)
}

/// Which optimiser, and what does not change during training.
public enum OptimizerOptions: Sendable, Equatable {
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
