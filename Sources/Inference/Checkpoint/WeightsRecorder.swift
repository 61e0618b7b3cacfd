import Synchronization

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
