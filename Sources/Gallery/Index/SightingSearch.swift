import Threads

/// What finds a gallery's sightings by their vectors of one model: an index in memory, or the database itself.
protocol SightingSearch: AnyObject, Sendable {
    /// What the vectors are.
    var space: VectorSpace { get }
    /// Whether there is nothing to find.
    var isEmpty: Bool { get }
    /// Whether there are sightings that share some of these modalities, but not all.
    func sharesSome(of names: [String]) -> Bool
    /// The answers to queries, in their order, all of one moment. Throws `GalleryError` or `CancellationError`.
    func outcomes(of queries: [VectorIndex.Query], _ means: SearchMeans) async throws -> [VectorIndex.Outcome]
}

/// By what a search in memory is done.
struct SearchMeans: Sendable {
    /// The vectors that an index does not hold.
    let source: any VectorSource
    let threads: WorkerThreads
    /// On how many of them one query is scanned.
    let slices: Int
}

extension VectorIndex: SightingSearch {
    var isEmpty: Bool { count == 0 }

    /// Together with what others ask for at the same time.
    func outcomes(of queries: [Query], _ means: SearchMeans) async throws -> [Outcome] {
        try await (queries.contains(where: \.isCompound) ? compoundPasses : passes).run(queries) { queries in
            try await self.search(queries, source: means.source, threads: means.threads, slices: means.slices)
        }
    }
}
