/// Why a data set could not be made.
public enum SynthesisError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A parameter is out of its range.
    case invalidParameter(field: String, expected: String, found: String)
    /// The output exists and is not a directory.
    case outputNotADirectory(path: String)
    /// The output directory holds something already.
    case outputNotEmpty(path: String)
    /// A file or directory could not be written.
    case writing(path: String, reason: String)
    /// The caller asked to stop.
    case cancelled

    /// What was expected, and what was found.
    public var description: String {
        switch self {
        case .invalidParameter(let field, let expected, let found):
            "\(field): expected \(expected), found \(found)"
        case .outputNotADirectory(let path):
            "output \(path): expected a new or an empty directory, found a file"
        case .outputNotEmpty(let path):
            "output \(path): expected a new or an empty directory, found a directory with contents"
        case .writing(let path, let reason):
            "cannot write \(path): \(reason)"
        case .cancelled:
            "cancelled; nothing was written"
        }
    }
}
