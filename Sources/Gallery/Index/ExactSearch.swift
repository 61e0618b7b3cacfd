/// One search over a snapshot of an index: a pass for each set of modalities that a comparison needs.
package struct ExactSearch: Sendable {
    /// A row that answers.
    package struct Hit: Sendable, Equatable {
        package let sighting: Int64
        package let score: Float
        let identity: Int32
    }

    /// The answers, best first; equal scores in order of enrolment.
    package struct Outcome: Sendable {
        package let hits: [Hit]
        /// How many sightings were eligible.
        package let rows: Int
        /// How many of them the first pass could not rule out.
        package let candidates: Int
    }

    let passes: [IndexPass]
    let limit: Int
    let grouping: Grouping

    /// Searches on the calling thread. Each sighting is in one pass only, and what is among the first `limit` of all is
    /// among the first `limit` of its pass, so the answer is that of one scan.
    package func run() -> Outcome {
        let outcomes = passes.map { $0.run() }
        if outcomes.count == 1 { return outcomes[0] }
        let hits = outcomes.flatMap(\.hits).sorted(by: Hit.precedes)
        return Outcome(
            hits: Hit.best(limit, of: hits, grouping), rows: outcomes.reduce(0) { $0 + $1.rows },
            candidates: outcomes.reduce(0) { $0 + $1.candidates })
    }
}

extension ExactSearch.Hit {
    static func precedes(_ a: Self, _ b: Self) -> Bool {
        a.score != b.score ? a.score > b.score : a.sighting < b.sighting
    }

    /// The first of each group, `limit` of them.
    static func best(_ limit: Int, of sorted: [Self], _ grouping: Grouping) -> [Self] {
        guard grouping == .identity else { return Array(sorted.prefix(limit)) }
        var seen: Set<Int32> = []
        return Array(sorted.filter { seen.insert($0.identity).inserted }.prefix(limit))
    }
}
