/// Why a training run cannot go on.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The run folder holds something already.
    case outputExists(String)
    /// The run folder cannot be written.
    case unwritable(String, String)
    /// The loss is not a number any more.
    case diverged(step: Int, loss: Float)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .outputExists(let path): "expected a new or empty folder for the run, found files in \(path)"
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .diverged(let step, let loss): "the loss is \(loss) at step \(step): try a lower learning rate"
        }
    }
}
