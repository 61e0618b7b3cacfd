import Synchronization

/// What a server may hold in memory of what its database keeps beside the galleries, and has changed there.
public enum ServerNews: String, Sendable, CaseIterable {
    /// A key was made or revoked.
    case accessKeys = "keys"
    /// Another model was made the active one.
    case activeModel = "model"
    /// A model is to be made the active one, or is not any more, or a server has it ready.
    case candidateModel = "candidate"
    /// A verified checkpoint was written down or forgotten, or a file was shared or withdrawn.
    case checkpoints
    /// A webhook was made, changed or deleted.
    case webhooks
    /// A job was written down or forgotten.
    case jobs
    /// Something was erased, whose bytes are to be deleted.
    case erasures
    /// This server has become the leader, or is it no more.
    case leadership
}

/// Those who are told of news.
final class NewsBoard: Sendable {
    typealias Observer = @Sendable (ServerNews) -> Void

    private let observers = Mutex<[Observer]>([])

    func add(_ observer: @escaping Observer) { observers.withLock { $0.append(observer) } }

    /// On the calling thread.
    func tell(_ news: some Sequence<ServerNews>) {
        let observers = observers.withLock { $0 }
        for item in news { for observer in observers { observer(item) } }
    }
}
