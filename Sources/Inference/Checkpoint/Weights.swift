import Synchronization
import Tensor

/// A model's parameters and statistics: dotted path → tensor, under the names of a PyTorch `state_dict`.
///
/// The one door for initialising, loading, saving, optimising and pruning. A value: a copy shares its tensors.
public struct Weights: Sendable {
    /// By path.
    private var held: [String: HeldTensor]
    /// The formats of those that are not float32, by path: their tensors hold what they stand for, codes times scales. Who
    /// changes a tensor makes it float32.
    public private(set) var formats: [String: WeightFormat] = [:]
    private var recorder: WeightsRecorder?

    /// Weights as given, none by default.
    public init(_ tensors: [String: Tensor] = [:]) {
        held = tensors.mapValues(HeldTensor.whole)
    }

    /// The tensors by path. Those of a narrow model's file are made anew: as much memory as the float32 model's.
    public var tensors: [String: Tensor] { held.mapValues(\.tensor) }

    /// The tensor at a path; nil if there is none, and setting nil removes it. O(count) for a narrow one of a file.
    public subscript(path: String) -> Tensor? {
        get { held[path]?.tensor }
        set {
            held[path] = newValue.map(HeldTensor.whole)
            formats[path] = nil
        }
    }

    /// How the tensor at a path is held.
    func held(_ path: String) -> HeldTensor? { held[path] }

    /// Sets a narrow tensor as a file has it.
    mutating func set(_ path: String, _ tensor: HeldTensor) {
        held[path] = tensor
        formats[path] = tensor.format
    }

    /// Whether there is a tensor at a path.
    public func contains(_ path: String) -> Bool { held[path] != nil }

    /// The shape of the tensor at a path.
    public func shape(of path: String) -> Shape? { held[path]?.shape }

    /// Sets a tensor that is held in a format: of int8, whole numbers from -127 to 127 times the scales.
    public mutating func set(_ path: String, _ tensor: Tensor, format: WeightFormat) {
        held[path] = .whole(tensor)
        formats[path] = format == .float32 ? nil : format
    }

    /// The tensor at a path, whatever its shape: for sizes that pruning may have changed.
    ///
    /// Throws `WeightsError.missing`.
    public func tensor(_ path: String) throws(WeightsError) -> Tensor {
        guard let tensor = held[path] else { throw .missing(path: path, expected: nil) }
        recorder?.record(path)
        return tensor.tensor
    }

    /// The tensor at a path, of the given shape.
    ///
    /// Throws `WeightsError`.
    public func tensor(_ path: String, shape: Shape) throws(WeightsError) -> Tensor {
        guard let tensor = held[path] else { throw .missing(path: path, expected: shape) }
        guard tensor.shape == shape else { throw .shape(path: path, expected: shape, found: tensor.shape) }
        recorder?.record(path)
        return tensor.tensor
    }

    /// The same weights, telling `recorder` of every path that ``tensor(_:)`` or ``tensor(_:shape:)`` gives out.
    public func recorded(by recorder: WeightsRecorder) -> Weights {
        var weights = self
        weights.recorder = recorder
        return weights
    }

    /// The narrowest precision of any.
    public var precision: Precision {
        formats.values.map(\.precision).min { $0.bytes < $1.bytes } ?? .float32
    }

    /// All paths, sorted.
    public var paths: [String] { held.keys.sorted() }

    /// Scalars in all tensors together, statistics included.
    public var parameterCount: Int {
        held.values.reduce(0) { $0 + $1.shape.count }
    }
}

extension Weights {
    /// The tensors under `prefix`, which is taken off their paths.
    public func under(_ prefix: String) -> Weights {
        var result = Weights()
        for (path, tensor) in held where Self.isPath(path, under: prefix) {
            let name = String(path.dropFirst(prefix.count + 1))
            (result.held[name], result.formats[name]) = (tensor, formats[path])
        }
        return result
    }

    /// Adds `other`'s tensors under `prefix` (or as they are), replacing those of equal path.
    public mutating func merge(_ other: Weights, under prefix: String = "") {
        for (path, tensor) in other.held {
            let own = prefix.isEmpty ? path : "\(prefix).\(path)"
            (held[own], formats[own]) = (tensor, other.formats[path])
        }
    }

    /// Removes every tensor under `prefix`.
    public mutating func remove(under prefix: String) {
        removeAll { path in Self.isPath(path, under: prefix) }
    }

    /// Removes every tensor whose path satisfies the predicate.
    public mutating func removeAll(where isRemoved: (String) throws -> Bool) rethrows {
        held = try held.filter { try !isRemoved($0.key) }
        formats = formats.filter { held[$0.key] != nil }
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
