/// A file of foreign weights that cannot be read, and why.
public struct ImportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path as it was given.
    public var file: String
    /// What was expected and what was found.
    public let reason: String

    init(_ reason: String, file: String = "") {
        self.reason = reason
        self.file = file
    }

    /// `file: reason`.
    public var description: String { "\(file): \(reason)" }
}
