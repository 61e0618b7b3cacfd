import Similarity
import Threads

extension VectorIndex {
    /// What to look for.
    package struct Query: Sendable {
        package var vectors: [IndexVector]
        /// Further exemplars of what is looked for.
        package var further: [[IndexVector]] = []
        /// How a sighting's scores with the exemplars make its own.
        package var combination = ExemplarCombination.mean
        /// How those of an identity's sightings make its own; `.best` for anything but identities.
        package var score = IdentityScore.best
        package var filter = IndexFilter()
        /// The same for a database that is searched itself.
        var conditions = QueryFilter()
        /// Whether a database that is searched itself compares all, to tell what its index misses.
        var isExhaustive = false
        package var limit = 10
        /// The least cosine.
        package var threshold: Float?
        package var grouping = Grouping.identity
        /// If only those sightings may answer that share exactly these modalities with the query, sorted.
        var compared: [String]?

        package init(
            vectors: [IndexVector], filter: IndexFilter = IndexFilter(), limit: Int = 10, threshold: Float? = nil,
            grouping: Grouping = .identity
        ) {
            (self.vectors, self.filter, self.limit) = (vectors, filter, limit)
            (self.threshold, self.grouping) = (threshold, grouping)
        }

        package var exemplars: [[IndexVector]] { [vectors] + further }

        /// Whether a sighting's own bounds do not decide.
        var isCompound: Bool { !further.isEmpty || score != .best }
    }

    /// A sighting that answers.
    package struct Hit: Sendable, Equatable {
        package let sighting: Int64
        package let score: Float
        let identity: Int32
        /// How many of an identity's sightings the score comes from; nil for the one alone.
        package var counted: Int?
        /// Which of several galleries it is in.
        var gallery: Int32 = 0
    }

    /// The answers, best first; equal scores in order of enrolment.
    package struct Outcome: Sendable {
        package let hits: [Hit]
        /// How many sightings were eligible.
        package let rows: Int
        /// How many of them were read from the store, since their bounds did not rule them out.
        package let candidates: Int
        /// How many more there were that cannot be compared with the query.
        package let incomparable: Int
        /// The last sighting, by its row, that the search knew of.
        var last: Int64 = 0
        /// Whether no other could have answered; what an index of the database has found may lack some.
        var isExact = true

        package init(hits: [Hit], rows: Int, candidates: Int, incomparable: Int) {
            (self.hits, self.rows) = (hits, rows)
            (self.candidates, self.incomparable) = (candidates, incomparable)
        }

        static let nothing = Outcome(hits: [], rows: 0, candidates: 0, incomparable: 0)
    }

    /// Searches for each query on several threads. The answer is that of a float32 scan over all, ties included.
    ///
    /// Throws what the source throws, or `CancellationError`. O(sightings · elements) bytes read; of a query of several exemplars
    /// once for four of them, and 100 bytes a sighting held for one that scores identities by several sightings, one at a time.
    ///
    /// - Parameter slices: on how many threads one query is scanned.
    package func search(
        _ queries: [Query], source: some VectorSource, threads: WorkerThreads, slices: Int
    ) async throws -> [Outcome] {
        // Taken on a thread too: a snapshot is as long as the index has tables and chunks.
        let (searches, last) = try await threads.run { [self] in snapshot(for: queries) }
        let plain = queries.indices.filter { !queries[$0].isCompound }
        var outcomes = [Outcome?](repeating: nil, count: queries.count)
        let found = try await self.outcomes(of: plain.map { searches[$0][0] }, source, threads, slices)
        for (place, outcome) in zip(plain, found) { outcomes[place] = outcome }
        for place in queries.indices where queries[place].isCompound {
            outcomes[place] = try await self.outcome(of: CompoundSearch(searches[place]), source, threads, slices)
        }
        for place in queries.indices { outcomes[place]?.last = last }
        return outcomes.compactMap { $0 }
    }

    private func outcomes(
        of searches: [IndexSearch], _ source: some VectorSource, _ threads: WorkerThreads, _ slices: Int
    ) async throws -> [Outcome] {
        var outcomes = [Outcome?](repeating: nil, count: searches.count)
        var gone = [Set<Int64>](repeating: [], count: searches.count)
        while true {
            let open = outcomes.indices.filter { outcomes[$0] == nil }
            if open.isEmpty { return outcomes.compactMap { $0 } }
            let parts = try await scan(
                open.map { searches[$0] }, without: open.map { gone[$0] }, threads, max(slices, 1))
            let findings = try await finish(open.map { searches[$0] }, parts, source, threads)
            for (index, finding) in zip(open, findings) {
                switch finding {
                case .outcome(let outcome): outcomes[index] = outcome
                case .gone(let more): gone[index].formUnion(more)
                }
            }
        }
    }

    private func outcome(
        of search: CompoundSearch, _ source: some VectorSource, _ threads: WorkerThreads, _ slices: Int
    ) async throws -> Outcome {
        var gone: Set<Int64> = []
        while true {
            let slices = max(slices, 1)
            let parts = try await withThrowingTaskGroup(of: CompoundSearch.Part.self) { [gone] group in
                for slice in 0..<slices {
                    group.addTask { try await threads.run { search.run(slice, of: slices, without: gone) } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            switch try await threads.run({ try search.finish(parts, source: source) }) {
            case .outcome(let outcome): return outcome
            case .gone(let more): gone.formUnion(more)
            }
        }
    }

    private struct Finished: Sendable {
        let place: Int
        let finding: IndexSearch.Finding
    }

    /// Scores what each search has left, side by side.
    private func finish(
        _ searches: [IndexSearch], _ parts: [[IndexSearch.Part]], _ source: some VectorSource, _ threads: WorkerThreads
    ) async throws -> [IndexSearch.Finding] {
        try await withThrowingTaskGroup(of: Finished.self) { group in
            for (place, search) in searches.enumerated() {
                group.addTask {
                    try await threads.run {
                        Finished(place: place, finding: try search.finish(parts.map { $0[place] }, source: source))
                    }
                }
            }
            var finished: [Finished] = []
            for try await one in group { finished.append(one) }
            return finished.sorted { $0.place < $1.place }.map(\.finding)
        }
    }

    /// The parts of each search, from every slice.
    private func scan(
        _ searches: [IndexSearch], without gone: [Set<Int64>], _ threads: WorkerThreads, _ slices: Int
    ) async throws -> [[IndexSearch.Part]] {
        let scan = IndexScan(searches)
        return try await withThrowingTaskGroup(of: [IndexSearch.Part].self) { group in
            for slice in 0..<slices {
                group.addTask { try await threads.run { scan.run(slice, of: slices, without: gone) } }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

extension VectorIndex.Hit {
    static func precedes(_ a: Self, _ b: Self) -> Bool {
        a.score != b.score ? a.score > b.score : a.sighting < b.sighting
    }

    /// The first of each group, `limit` of them.
    static func best(_ limit: Int, of sorted: [Self], _ grouping: Grouping) -> [Self] {
        guard grouping == .identity else { return Array(sorted.prefix(limit)) }
        var seen: Set<Int64> = []
        return Array(
            sorted.filter { seen.insert(Int64($0.gallery) << 32 | Int64($0.identity)).inserted }.prefix(limit))
    }
}
