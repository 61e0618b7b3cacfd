/// Which waiting requests are computed together. Pure; threads and tensors are elsewhere.
///
/// The oldest request is always served first, with those behind it that are of its kind, so none waits for ever. There is no
/// waiting for a batch to fill up: while one batch is computed the next one gathers, and a lone request is a batch of one.
package struct BatchQueue<Kind: Equatable, Request> {
    /// The largest batch.
    package let most: Int
    private var waiting: [(kind: Kind, request: Request)] = []

    /// An empty queue.
    package init(most: Int) { self.most = most }

    /// Adds a request behind all others.
    package mutating func add(_ request: Request, kind: Kind) { waiting.append((kind, request)) }

    /// Takes the next batch; nil if nothing waits. Requests for which `isWanted` is false are dropped.
    package mutating func next(isWanted: (Request) -> Bool) -> (kind: Kind, requests: [Request])? {
        waiting.removeAll { !isWanted($0.request) }
        guard let kind = waiting.first?.kind else { return nil }
        var (batch, rest) = ([Request](), [(kind: Kind, request: Request)]())
        for entry in waiting {
            if batch.count < most && entry.kind == kind { batch.append(entry.request) } else { rest.append(entry) }
        }
        waiting = rest
        return (kind, batch)
    }
}
