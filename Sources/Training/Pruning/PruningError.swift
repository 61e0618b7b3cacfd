/// Why a model cannot be pruned.
public enum PruningError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A value of the plan that makes no sense.
    case invalid(field: String, expected: String, found: String)
    /// A recipe of another system than the checkpoint's.
    case otherSystem(expected: String, found: String)
    /// A data set in which nothing can be ranked.
    case nothingToRank(String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .invalid(let field, let expected, let found): "\(field): expected \(expected), found \(found)"
        case .otherSystem(let expected, let found):
            "the recipe's system: expected the checkpoint's, \(expected), found \(found)"
        case .nothingToRank(let path):
            "\(path): expected query and gallery splits, or held-out identities (the recipe's validation.identities), "
                + "found neither"
        }
    }
}
