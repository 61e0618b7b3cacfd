import Tensor

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
