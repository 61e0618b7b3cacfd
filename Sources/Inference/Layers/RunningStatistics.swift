import Synchronization
import Tensor

/// Collects the running averages of batch norms while a model is run in training: what PyTorch keeps in `running_mean` and
/// `running_var`.
public final class RunningStatistics: Sendable {
    private static let momentum: Float = 0.1
    private let updated = Mutex<[String: Tensor]>([:])

    /// Nothing collected yet.
    public init() {}

    /// The averages after what was run, by path.
    public var byPath: [String: Tensor] { updated.withLock { $0 } }

    /// Moves the average at `path` a tenth of the way to a batch's statistic. A layer that runs twice in one step moves it
    /// twice.
    func update(_ path: String, from initial: Tensor, towards statistic: Tensor) {
        updated.withLock {
            let old = $0[path] ?? initial
            $0[path] = old.scaled(by: 1 - Self.momentum) + statistic.scaled(by: Self.momentum)
        }
    }
}
