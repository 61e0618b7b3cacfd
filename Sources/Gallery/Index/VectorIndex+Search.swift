import Similarity
import Threads

extension VectorIndex {
    /// What to look for.
    package struct Query: Sendable {
        package var vectors: [IndexVector]
        package var filter = IndexFilter()
        package var limit = 10
        /// The least cosine.
        package var threshold: Float?
        package var grouping = Grouping.identity

        package init(
            vectors: [IndexVector], filter: IndexFilter = IndexFilter(), limit: Int = 10, threshold: Float? = nil,
            grouping: Grouping = .identity
        ) {
            (self.vectors, self.filter, self.limit) = (vectors, filter, limit)
            (self.threshold, self.grouping) = (threshold, grouping)
        }
    }

    /// A sighting that answers.
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
        /// How many of them were read from the store, since their bounds did not rule them out.
        package let candidates: Int
        /// How many more there were that cannot be compared with the query.
        package let incomparable: Int
    }

    /// Searches for each query on several threads. The answer is that of a float32 scan over all, ties included.
    ///
    /// Throws what the source throws, or `CancellationError`. O(sightings · elements) bytes read.
    ///
    /// - Parameter slices: on how many threads one query is scanned.
    package func search(
        _ queries: [Query], source: some VectorSource, threads: WorkerThreads, slices: Int
    ) async throws -> [Outcome] {
        // Taken on a thread too: a snapshot is as long as the index has tables and chunks.
        let searches = try await threads.run { [self] in queries.map(snapshot) }
        if searches.count == 1 {
            return [try await one(searches[0], source: source, threads: threads, slices: max(slices, 1))]
        }
        // Several keep all threads busy by themselves.
        return try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            for (index, search) in searches.enumerated() {
                group.addTask { (index, try await self.one(search, source: source, threads: threads, slices: 1)) }
            }
            var outcomes: [Int: Outcome] = [:]
            for try await (index, outcome) in group { outcomes[index] = outcome }
            return searches.indices.compactMap { outcomes[$0] }
        }
    }

    private func one(
        _ search: IndexSearch, source: some VectorSource, threads: WorkerThreads, slices: Int
    ) async throws -> Outcome {
        var gone: Set<Int64> = []
        while true {
            let parts = try await withThrowingTaskGroup(of: IndexSearch.Part.self) { [gone] group in
                for slice in 0..<slices {
                    group.addTask { try await threads.run { search.scan(slice, of: slices, without: gone) } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            switch try await threads.run({ try search.finish(parts, source: source) }) {
            case .outcome(let outcome): return outcome
            case .gone(let more): gone.formUnion(more)
            }
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
        var seen: Set<Int32> = []
        return Array(sorted.filter { seen.insert($0.identity).inserted }.prefix(limit))
    }
}
