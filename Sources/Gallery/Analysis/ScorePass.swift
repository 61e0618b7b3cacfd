import Synchronization
import Threads

/// Goes through sightings of a gallery and compares each with some that are looked for.
///
/// Vectors are read from the store, a few at a time; work is handed to the threads that search in pieces of some milliseconds, and
/// to half of these at most, so that whoever searches meanwhile waits for a piece and not for the pass.
struct ScorePass: Sendable {
    /// What a visitor has taken of some of the queries.
    struct Lane<Visitor: ScoreVisitor>: Sendable {
        let visitor: Visitor
        /// See `PairScorer.sets`.
        let sets: [[String]]
    }

    let roster: GalleryRoster
    let source: any VectorSource
    let threads: WorkerThreads

    /// Sightings that are read and compared at a time.
    private static let batch = 128
    /// The most that are looked for in one pass: their vectors are in memory meanwhile.
    static let mostQueries = 1024

    /// How many threads compare at the same time.
    var lanes: Int { max(threads.count / 2, 1) }

    /// Has visitors take the scores of every pair that they want. Throws what the source throws, or `CancellationError`. The
    /// result does not depend on the number of threads. O(queries · others · dimension).
    ///
    /// - Parameters:
    ///   - queries: places in the roster, at most `mostQueries`.
    ///   - others: places in the roster.
    ///   - makeVisitor: one for some of the queries.
    ///   - progress: told how many of the others have been compared.
    /// - Returns: a lane for each visitor, in the order of the queries.
    func run<Visitor: ScoreVisitor>(
        _ queries: [Int], with others: [Int], _ makeVisitor: ([Int]) -> Visitor,
        progress: (_ done: Int) async throws -> Void = { _ in }
    ) async throws -> [Lane<Visitor>] {
        let size = max((queries.count + lanes - 1) / lanes, 1)
        var workers: [LaneWorker<Visitor>] = []
        for start in stride(from: 0, to: queries.count, by: size) {
            let some = Array(queries[start..<min(start + size, queries.count)])
            workers.append(LaneWorker(PairScorer(try await vectors(of: some)), makeVisitor(some)))
        }
        for start in stride(from: 0, to: others.count, by: Self.batch) {
            let places = Array(others[start..<min(start + Self.batch, others.count)])
            let batch = zip(places, try await vectors(of: places)).compactMap { place, vectors in
                vectors.map { (place, $0) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in workers { group.addTask { try await threads.run { worker.compare(batch) } } }
                try await group.waitForAll()
            }
            try await progress(start + places.count)
        }
        return workers.map(\.lane)
    }

    /// nil for what was erased since.
    private func vectors(of places: [Int]) async throws -> [VectorCombination?] {
        var found: [VectorCombination?] = []
        for start in stride(from: 0, to: places.count, by: Self.batch) {
            let rows = places[start..<min(start + Self.batch, places.count)].map { roster.members[$0].sighting }
            found += try await threads.run { [source, space = roster.space] in
                let vectors = try source.vectors(of: rows)
                return rows.map { row in vectors[row].flatMap { VectorCombination($0, in: space) } }
            }
        }
        return found
    }
}

/// What one thread at a time goes on with.
private final class LaneWorker<Visitor: ScoreVisitor>: Sendable {
    private struct State {
        var scorer: PairScorer
        var visitor: Visitor
    }

    private let state: Mutex<State>

    init(_ scorer: PairScorer, _ visitor: Visitor) { state = Mutex(State(scorer: scorer, visitor: visitor)) }

    func compare(_ others: [(place: Int, vectors: VectorCombination)]) {
        state.withLock { state in
            state.scorer.compare(others, for: &state.visitor)
        }
    }

    var lane: ScorePass.Lane<Visitor> {
        state.withLock { ScorePass.Lane(visitor: $0.visitor, sets: $0.scorer.sets) }
    }
}
