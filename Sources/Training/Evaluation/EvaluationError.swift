import Inference

/// Why something cannot be measured.
public enum EvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nothing on a side of a task has any of the modalities that are asked for; one of its files, and what that shows.
    case nothingToRank(side: String, task: String, expected: [String], file: String, found: [String])
    /// No query can be compared with an item of the gallery.
    case nothingShared(task: String, queries: String, gallery: String)
    /// A tensor of a file of embeddings.
    case tensor(file: String, name: String, expected: String, found: String)
    /// No query with, or without, something to be found.
    case oneSided(task: String, expected: String)
    /// Captions that are not there, or that the model cannot read.
    case noTexts(folder: String, reason: String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .nothingToRank(let side, let task, let expected, let file, let found):
            "\(task): expected \(side) with \(expected.joined(separator: ", ")), found none; \(file) is "
                + found.joined(separator: ", ")
        case .nothingShared(let task, let queries, let gallery):
            "\(task): expected a modality that queries and gallery share, as the model's vectors of different ones cannot be "
                + "compared; found \(queries) and \(gallery)"
        case .tensor(let file, let name, let expected, let found):
            "\(file): tensor \(name): expected \(expected), found \(found)"
        case .oneSided(let task, let expected): "\(task): expected \(expected), found none"
        case .noTexts(let folder, let reason): "\(folder): expected captions that the model can read, found \(reason)"
        }
    }
}
