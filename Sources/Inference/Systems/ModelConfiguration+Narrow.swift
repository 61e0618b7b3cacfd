import Synchronization
import Tensor

extension ModelConfiguration {
    /// The paths of the weights that its layers can hold in narrow formats, sorted: linear layers of transformers and heads, and
    /// convolutions that follow a ReLU. Builds the system; throws what that throws.
    public func narrowableWeights(in weights: Weights) throws -> [String] {
        let asked = Mutex<Set<String>>([])
        let scope = ParameterScope(
            mode: .inference,
            formats: { path in
                asked.withLock { _ = $0.insert(path) }
                return .float32
            }, source: { try weights.tensor($0, shape: $1) })
        _ = try makeSystem(scope)
        return asked.withLock { $0.sorted() }
    }
}

extension Weights {
    /// The weights with those at some paths held in a precision, see ``narrow(_:to:)``.
    public func narrowed(_ paths: some Sequence<String>, to precision: Precision) -> Weights {
        var weights = self
        weights.narrow(paths, to: precision)
        return weights
    }

    /// Holds the weights at some paths, those that are there, in a precision, rounded to the nearest.
    public mutating func narrow(_ paths: some Sequence<String>, to precision: Precision) {
        for path in paths {
            guard let tensor = self[path] else { continue }
            switch precision {
            case .float32: break
            case .bfloat16: set(path, tensor.roundedToBFloat16(), format: .bfloat16)
            case .int8:
                let (rounded, format) = tensor.roundedToInt8()
                set(path, rounded, format: format)
            }
        }
    }
}
