/// Which waiting requests are computed together, and when. Pure: it is told the time; threads and tensors are elsewhere.
///
/// The oldest request is always served first, with those behind it that are of its kind. So a request waits for no more
/// batches than there were requests before it, whatever comes later and of whatever kind; where all are of one kind, for
/// that number over `most`.
///
/// While one batch is computed the next one gathers. When nothing is computed, a batch that is not full waits for requests
/// of its kind that are on their way, but never longer than `wait`, and never if there are none: a lone request does not.
package struct BatchQueue<Kind: Hashable, Request> {
    package typealias Instant = ContinuousClock.Instant

    /// Requests that are computed together.
    package struct Batch {
        /// Their kind.
        package let kind: Kind
        /// From the oldest on.
        package let requests: [Request]
        /// How long each has waited.
        package let waits: [Duration]
    }

    /// What is to be done now.
    package enum Turn {
        /// Compute these.
        case compute(Batch)
        /// Ask again then, at the latest. Said once for each time that a batch is held.
        case wait(until: Instant)
        /// Nothing that whoever asks must see to.
        case rest
    }

    private typealias Entry = (kind: Kind, request: Request, since: Instant)

    private let most: Int
    private let wait: Duration
    private var waiting: [Entry] = []
    /// Begun and not ended, those that wait included.
    private var underWay: [Kind: Int] = [:]
    private var heldUntil: Instant?

    /// An empty queue.
    ///
    /// - Parameters:
    ///   - most: the largest batch.
    ///   - wait: the longest time that a batch is held for requests on their way.
    package init(most: Int, wait: Duration = .zero) { (self.most, self.wait) = (most, wait) }

    /// Requests that wait.
    package var count: Int { waiting.count }

    /// A request of this kind is on its way.
    package mutating func begin(_ kind: Kind) { underWay[kind, default: 0] += 1 }

    /// One that was on its way has its answer, or needs none any more.
    /// - Returns: whether a batch is held, which may have been for this one.
    package mutating func end(_ kind: Kind) -> Bool {
        underWay[kind] = underWay[kind].flatMap { $0 > 1 ? $0 - 1 : nil }
        return heldUntil != nil
    }

    /// Adds a request behind all others.
    package mutating func add(_ request: Request, kind: Kind, at now: Instant) { waiting.append((kind, request, now)) }

    /// What is to be done when nothing is being computed. Requests for which `isWanted` is false are dropped.
    package mutating func next(at now: Instant, isWanted: (Request) -> Bool) -> Turn {
        waiting.removeAll { !isWanted($0.request) }
        let held = heldUntil
        heldUntil = nil
        guard let kind = waiting.first?.kind else { return .rest }
        let until = held ?? now + wait
        if now < until && mayGrow(kind) {
            heldUntil = until
            return held == nil ? .wait(until: until) : .rest
        }
        let batch = take(kind)
        return .compute(Batch(kind: kind, requests: batch.map(\.request), waits: batch.map { now - $0.since }))
    }

    private mutating func take(_ kind: Kind) -> [Entry] {
        var (batch, rest) = ([Entry](), [Entry]())
        for entry in waiting {
            if batch.count < most && entry.kind == kind { batch.append(entry) } else { rest.append(entry) }
        }
        waiting = rest
        return batch
    }

    /// Whether the batch of the oldest request may become larger soon. Nobody is kept waiting for requests of another kind.
    private func mayGrow(_ kind: Kind) -> Bool {
        waiting.count < min(most, underWay[kind] ?? 0) && waiting.allSatisfy { $0.kind == kind }
    }
}

extension BatchQueue.Batch: Sendable where Kind: Sendable, Request: Sendable {}
