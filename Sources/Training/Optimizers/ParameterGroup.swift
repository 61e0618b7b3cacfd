/// Which weights are meant: those whose path begins with a text, or, if there is a `*` in it, whose whole path it describes, `*`
/// standing for any characters.
public struct PathPattern: Sendable, Equatable {
    /// As it was given.
    public let text: String

    /// Such as `backbone.` or `*.bias`.
    public init(_ text: String) { self.text = text }

    /// Whether a path is meant. O(path · stars).
    public func matches(_ path: String) -> Bool {
        var parts = text.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count > 1, let last = parts.popLast() else { return path.hasPrefix(text) }
        let first = parts.removeFirst()
        guard path.hasPrefix(first), path.count >= first.count + last.count, path.hasSuffix(last) else { return false }
        // What lies between may be found as early as possible.
        var rest = path.dropFirst(first.count).dropLast(last.count)
        for part in parts where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}

/// Weights that learn at another rate, or decay otherwise, than the rest.
public struct ParameterGroup: Sendable, Equatable {
    /// Any of these.
    public var patterns: [PathPattern]
    /// Times the learning rate.
    public var rate: Float
    /// Times the weight decay.
    public var decay: Float

    /// A group as given.
    public init(_ patterns: [String], rate: Float = 1, decay: Float = 1) {
        (self.patterns, self.rate, self.decay) = (patterns.map(PathPattern.init), rate, decay)
    }
}

extension [ParameterGroup] {
    /// What rate and decay of a weight are multiplied with: by every group that it is in.
    func factors(of path: String) -> (rate: Float, decay: Float) {
        reduce((1, 1)) { factors, group in
            guard group.patterns.contains(where: { $0.matches(path) }) else { return factors }
            return (factors.0 * group.rate, factors.1 * group.decay)
        }
    }
}
