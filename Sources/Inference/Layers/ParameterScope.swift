import Synchronization
import Tensor

/// How a model is built. Layers and systems never ask for it again: an encoder built for inference cannot train, and
/// nobody can forget to switch one over.
public enum ModelMode: Sendable {
    /// Weights are packed, nothing is recorded, dropout is absent.
    case inference
    /// Parameters are leaves of the tape.
    ///
    /// - Parameters:
    ///   - dropout: what drops activations; nil drops none.
    ///   - dropPath: what drops transformer blocks' branches; nil drops none.
    ///   - frozen: path prefixes of parameters that are left off the tape.
    ///   - statistics: collects the running averages of batch norms; without it they use these, as in evaluation.
    case training(
        dropout: Dropout?, dropPath: DropPath? = nil, frozen: [String] = [], statistics: RunningStatistics? = nil)
    /// Parameters are leaves of the tape, and layers compute as they would in inference, up to rounding of float32s: batch norms use
    /// the running averages, and what narrow weights are multiplied with is rounded, straight through. No dropout, no classifiers.
    case tuning
    /// Nothing is recorded but what a probe asks for; batch norms use the running averages, classifiers are there.
    case probing(ModelProbe)
}

/// Where the layers of a model under construction take their parameters from: a position in the weights, and the mode.
public struct ParameterScope: Sendable {
    private let source: @Sendable (String, Shape) throws -> Tensor
    private let formats: @Sendable (String) -> WeightFormat
    private let path: String
    let mode: ModelMode

    /// The root of a model's weights.
    ///
    /// - Parameter format: in inference and tuning, of weights that have none of their own, in layers that may be narrow.
    public init(_ weights: Weights, mode: ModelMode, format: WeightFormat = .float32) {
        let formats = weights.formats
        self.init(mode: mode, formats: { formats[$0] ?? format }) { try weights.tensor($0, shape: $1) }
    }

    /// The root of weights of which each tensor is given out once, and then no longer held.
    init(draining weights: consuming Weights, mode: ModelMode, format: WeightFormat = .float32) {
        let formats = weights.formats
        let left = Mutex(weights)
        self.init(mode: mode, formats: { formats[$0] ?? format }) { path, shape in
            try left.withLock { weights in
                let tensor = try weights.tensor(path, shape: shape)
                weights[path] = nil
                return tensor
            }
        }
    }

    /// The root of tensors that `source` gives for a path and a shape: how a model without weights is initialised.
    ///
    /// - Parameter formats: asked in inference and tuning, by path, for those weights that a layer can hold in a narrow format.
    public init(
        mode: ModelMode, formats: @escaping @Sendable (String) -> WeightFormat = { _ in .float32 },
        source: @escaping @Sendable (String, Shape) throws -> Tensor
    ) {
        self.init(source: source, formats: formats, path: "", mode: mode)
    }

    private init(
        source: @escaping @Sendable (String, Shape) throws -> Tensor,
        formats: @escaping @Sendable (String) -> WeightFormat, path: String, mode: ModelMode
    ) {
        self.source = source
        self.formats = formats
        self.path = path
        self.mode = mode
    }

    /// The scope one name further down.
    public func scope(_ name: String) -> ParameterScope {
        ParameterScope(source: source, formats: formats, path: full(name), mode: mode)
    }

    /// A buffer: a tensor that is never trained. Throws `WeightsError` if it is missing or has another shape.
    public func buffer(_ name: String, _ shape: Shape) throws -> Tensor { try source(full(name), shape) }

    /// A parameter: in training and tuning, a leaf of the tape under its full path. Throws as `buffer` does.
    public func parameter(_ name: String, _ shape: Shape) throws -> Tensor {
        let tensor = try buffer(name, shape)
        let path = full(name)
        switch mode {
        case .inference, .probing: return tensor
        case .training(_, _, let frozen, _):
            return frozen.contains { path.hasPrefix($0) } ? tensor : tensor.tracked(as: path)
        case .tuning: return tensor.tracked(as: path)
        }
    }

    /// How a layer that can be narrow is to hold a weight: float32 in training and where a probe looks.
    func format(of name: String) -> WeightFormat {
        switch mode {
        case .inference, .tuning: formats(full(name))
        case .training, .probing: .float32
        }
    }

    /// The full path of a name here.
    public func full(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    var dropout: Dropout? {
        if case .training(let dropout, _, _, _) = mode { dropout } else { nil }
    }

    var dropPath: DropPath? {
        if case .training(_, let dropPath, _, _) = mode { dropPath } else { nil }
    }

    var statistics: RunningStatistics? {
        if case .training(_, _, _, let statistics) = mode { statistics } else { nil }
    }

    /// Where the layer here may be looked at.
    var probe: ModelProbe.Place? {
        if case .probing(let probe) = mode { probe.place(path) } else { nil }
    }

    var isInference: Bool {
        if case .inference = mode { true } else { false }
    }

    /// Whether there is what only losses need.
    var hasClassifiers: Bool {
        switch mode {
        case .inference, .tuning: false
        case .training, .probing: true
        }
    }
}
