import Synchronization
import Threads

/// A transaction, by its number in the order of commits, and its name, by which one that took its number after a failover is
/// told from it; nil if that is not known.
struct IndexPlace: Sendable, Equatable {
    var sequence: Int64 = 0
    var name: String?
}

/// What the indexes and those who are told of news must learn of a transaction that was committed.
struct CommittedChanges: Sendable {
    let place: IndexPlace
    var changes: [IndexChange] = []
    /// The last event that it has written.
    var event: Int64?
    var news: [ServerNews] = []
}

/// How far the indexes of a store have followed the transactions of its database.
///
/// Changes are applied in the order of commits, each once. Each may be applied from what the database has since become of its rows:
/// whatever came after it is applied after it, and makes the index what it would have been. So an index that is loaded while others
/// write, and then follows what they have written since the loading began, is exact.
final class IndexProgress: Sendable {
    /// How long an index may answer without knowing that it holds all that is committed: within this time an erasure has reached
    /// every index that answers.
    static let longestSilence = Duration.seconds(10)

    fileprivate struct State {
        var place = IndexPlace()
        var newest: Int64 = 0
        /// The last own transaction that was committed, and the last one whose writer was told so.
        var committed: Int64 = 0
        var acknowledged: Int64 = 0
        /// Whether others may write.
        var follows = false
        /// Whether what is missing is not to be had, and all must be loaded anew.
        var isStale = false
        /// When the database had no more than the indexes.
        var currentAt: ContinuousClock.Instant?
        var failure: GalleryError?
        var waiters: [(sequence: Int64, waiter: Waiter<Void>)] = []
    }

    let indexes: IndexRegistry
    let events = EventCounter()
    let news = NewsBoard()
    private let state = Mutex(State())
    /// Held while changes are applied, which may take longer than whoever asks how far the indexes are can wait.
    private let order = Mutex(())

    /// - Parameter holds: whether vectors are held in memory; else there is nothing that could be too old.
    init(holds: Bool = true) { indexes = IndexRegistry(holds: holds) }

    var place: IndexPlace { state.withLock(\.place) }
    var sequence: Int64 { place.sequence }
    /// The last own transaction.
    var committed: Int64 { state.withLock(\.committed) }
    var isStale: Bool { state.withLock(\.isStale) }

    var status: FollowingStatus {
        state.withLock { state in
            let age = state.follows ? state.currentAt.map { ContinuousClock.now - $0 } : Duration.zero
            return FollowingStatus(
                sequence: state.place.sequence, newest: max(state.newest, state.place.sequence), age: age,
                failure: state.failure)
        }
    }

    /// The indexes are about to be loaded, and hold at least what is committed by then.
    func begin(at place: IndexPlace, follows: Bool) {
        state.withLock { ($0.place, $0.newest, $0.follows) = (place, place.sequence, follows) }
    }

    /// Of a transaction of this server: applied, unless the indexes hold it already, or must follow others that came before it.
    func settle(_ commit: CommittedChanges) {
        let due = order.withLock { _ in
            let isNext = state.withLock { state in
                let sequence = commit.place.sequence
                state.committed = max(state.committed, sequence)
                state.newest = max(state.newest, sequence)
                return !state.follows || !state.isStale && state.place.sequence == sequence - 1
            }
            return isNext ? apply(commit) : []
        }
        tell(due, commit.event)
    }

    /// Whoever has written is told so now: from here on nothing is answered without it.
    func acknowledge() { state.withLock { $0.acknowledged = $0.committed } }

    /// Of transactions of any server, in their order. Those that the indexes hold already are left out.
    func follow(_ commits: [CommittedChanges]) {
        // Before whoever waits for the number goes on: it must not be answered from what is held in memory of before.
        news.tell(commits.filter { $0.place.sequence > sequence }.flatMap(\.news))
        let (applied, due) = order.withLock { _ in
            let start = sequence
            let applied = isStale ? [] : commits.filter { $0.place.sequence > start }
            return (applied, applied.flatMap(apply))
        }
        tell(due, applied.compactMap(\.event).max())
    }

    /// Gives those who have waited for it.
    private func apply(_ commit: CommittedChanges) -> [Waiter<Void>] {
        indexes.apply(commit.changes)
        return state.withLock { state in
            state.place = commit.place
            return state.takeDue()
        }
    }

    /// That at a time the last transaction was `newest`, which the indexes have followed by now.
    func confirm(_ newest: Int64, at time: ContinuousClock.Instant) {
        state.withLock { state in
            state.newest = max(newest, state.place.sequence)
            state.failure = nil
            if state.place.sequence >= newest && !state.isStale {
                state.currentAt = state.currentAt.map { max($0, time) } ?? time
            }
        }
    }

    func fail(_ failure: GalleryError) { state.withLock { $0.failure = failure } }

    /// That the indexes cannot follow any more: nothing is answered from them until they are loaded anew. What has been acknowledged
    /// is in the database by then, or a failover has lost it.
    func lose() {
        state.withLock { state in
            (state.isStale, state.currentAt) = (true, nil)
            (state.committed, state.acknowledged) = (0, 0)
        }
    }

    /// Puts indexes in place of those that could not follow. They hold at least what was committed at a place, and must follow
    /// what came since before they answer.
    func replace(by others: IndexRegistry, at place: IndexPlace) {
        // Nobody was told of what could not be followed.
        news.tell(ServerNews.allCases)
        order.withLock { _ in
            indexes.become(others)
            state.withLock { state in
                (state.place, state.newest, state.isStale, state.currentAt) = (place, place.sequence, false, nil)
            }
        }
    }

    private func tell(_ due: [Waiter<Void>], _ event: Int64?) {
        for waiter in due { waiter.resume(with: .success(())) }
        if let event { events.reach(event) }
    }
}

extension IndexProgress {
    /// Throws `GalleryError.unavailable` where an answer might be too old.
    func requireCurrent() throws(GalleryError) {
        let why: String? = state.withLock { state in
            if !state.follows || !indexes.holds { return nil }
            if state.isStale { return "the index is being loaded anew" }
            guard let currentAt = state.currentAt, state.place.sequence >= state.acknowledged else {
                return "the index has still to follow what was enrolled"
            }
            let age = ContinuousClock.now - currentAt
            return age <= Self.longestSilence
                ? nil : "the index has not followed what others enrol for \(age.components.seconds) seconds"
        }
        if let why { throw .unavailable(why) }
    }

    /// Returns once the indexes hold a transaction and all before it. Throws `GalleryError.behind` if they do not by then.
    func wait(for sequence: Int64, until deadline: ContinuousClock.Instant) async throws {
        let waiter = Waiter<Void>()
        let timer = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            waiter.resume(with: .failure(GalleryError.behind(sequence: self.sequence, expected: sequence)))
        }
        defer { timer.cancel() }
        do {
            try await resume(waiter, at: sequence)
        } catch is CancellationError where !Task.isCancelled {
            // The time was over before it began to wait.
            throw GalleryError.behind(sequence: self.sequence, expected: sequence)
        }
    }

    private func resume(_ waiter: Waiter<Void>, at sequence: Int64) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                let isThere = state.withLock { state in
                    state.waiters.removeAll { !$0.waiter.isWaiting }
                    if state.place.sequence >= sequence { return true }
                    state.waiters.append((sequence, waiter))
                    return false
                }
                if isThere { waiter.resume(with: .success(())) }
            }
        } onCancel: {
            waiter.resume(with: .failure(CancellationError()))
        }
    }
}

extension IndexProgress.State {
    fileprivate mutating func takeDue() -> [Waiter<Void>] {
        let due = waiters.filter { $0.sequence <= place.sequence }.map(\.waiter)
        if !due.isEmpty { waiters.removeAll { $0.sequence <= place.sequence } }
        return due
    }
}
