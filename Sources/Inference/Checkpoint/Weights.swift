import Synchronization
import Tensor

/// A model's parameters and statistics: dotted path → tensor, under the names of a PyTorch `state_dict`.
///
/// The one door for initialising, loading, saving, optimising and pruning. A value: a copy shares its tensors.
public struct Weights: Sendable {
    /// The tensors by path.
    public private(set) var tensors: [String: Tensor]
    private var recorder: WeightsRecorder?

    /// Weights as given, none by default.
    public init(_ tensors: [String: Tensor] = [:]) {
        self.tensors = tensors
    }

    /// The tensor at a path; nil if there is none, and setting nil removes it.
    public subscript(path: String) -> Tensor? {
        get { tensors[path] }
        set { tensors[path] = newValue }
    }

    /// The tensor at a path, whatever its shape: for sizes that pruning may have changed.
    ///
    /// Throws `WeightsError.missing`.
    public func tensor(_ path: String) throws(WeightsError) -> Tensor {
        guard let tensor = tensors[path] else { throw .missing(path: path, expected: nil) }
        recorder?.record(path)
        return tensor
    }

    /// The tensor at a path, of the given shape.
    ///
    /// Throws `WeightsError`.
    public func tensor(_ path: String, shape: Shape) throws(WeightsError) -> Tensor {
        guard let tensor = tensors[path] else { throw .missing(path: path, expected: shape) }
        guard tensor.shape == shape else { throw .shape(path: path, expected: shape, found: tensor.shape) }
        recorder?.record(path)
        return tensor
    }

    /// The same weights, telling `recorder` of every path that ``tensor(_:)`` or ``tensor(_:shape:)`` gives out.
    public func recorded(by recorder: WeightsRecorder) -> Weights {
        var weights = self
        weights.recorder = recorder
        return weights
    }

    /// All paths, sorted.
    public var paths: [String] { tensors.keys.sorted() }

    /// Scalars in all tensors together, statistics included.
    public var parameterCount: Int {
        tensors.values.reduce(0) { $0 + $1.shape.count }
    }
}

extension Weights {
    /// The tensors under `prefix`, which is taken off their paths.
    public func under(_ prefix: String) -> Weights {
        var result = Weights()
        for (path, tensor) in tensors where Self.isPath(path, under: prefix) {
            result[String(path.dropFirst(prefix.count + 1))] = tensor
        }
        return result
    }

    /// Adds `other`'s tensors under `prefix` (or as they are), replacing those of equal path.
    public mutating func merge(_ other: Weights, under prefix: String = "") {
        for (path, tensor) in other.tensors {
            tensors[prefix.isEmpty ? path : "\(prefix).\(path)"] = tensor
        }
    }

    /// Removes every tensor under `prefix`.
    public mutating func remove(under prefix: String) {
        removeAll { path in Self.isPath(path, under: prefix) }
    }

    /// Removes every tensor whose path satisfies the predicate.
    public mutating func removeAll(where isRemoved: (String) throws -> Bool) rethrows {
        tensors = try tensors.filter { try !isRemoved($0.key) }
    }

    private static func isPath(_ path: String, under prefix: String) -> Bool {
        path.hasPrefix(prefix + ".")
    }
}

/// Weights that do not fit the model that asks for them.
public enum WeightsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No tensor at this path.
    case missing(path: String, expected: Shape?)
    /// A tensor of another shape.
    case shape(path: String, expected: Shape, found: Shape)

    /// The path, what was expected and what was found.
    public var description: String {
        switch self {
        case .missing(let path, let expected):
            "weight \(path): expected a tensor\(expected.map { " of shape \($0)" } ?? ""), found none"
        case .shape(let path, let expected, let found):
            "weight \(path): expected shape \(expected), found \(found)"
        }
    }
}

/// Remembers which weights a model has asked for, to tell which it does not know.
public final class WeightsRecorder: Sendable {
    private let read = Mutex<Set<String>>([])

    /// A recorder of nothing yet.
    public init() {}

    func record(_ path: String) {
        read.withLock { _ = $0.insert(path) }
    }

    /// The paths of `weights` that nobody has asked for, sorted.
    public func unread(of weights: Weights) -> [String] {
        let read = read.withLock { $0 }
        return weights.paths.filter { !read.contains($0) }
    }
}
