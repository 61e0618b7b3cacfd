import Mapping
import Randomness
import Threads

/// Makes a map of a roster's sightings: their neighbours, a layout, and how far it is true.
///
/// Memory: the scores of a block of sightings with all, 80 MiB at 20 000, and about 4 KiB a sighting for its neighbours.
struct MapMaker: Sendable {
    /// Told how many of a step's parts are done.
    typealias Progress = (_ done: Int) async throws -> Void

    let pass: ScorePass
    let perplexity: Double
    let seed: UInt64

    /// Sightings with which all are compared for a first layout.
    private static let landmarks = 256
    /// How far from there they begin, as a share of its spread, so that two that look the same are not one point.
    private static let jitter = 0.01

    private var count: Int { pass.roster.members.count }
    /// Three for each that counts, as the paper has it.
    private var neighbours: Int { min(max(Int(3 * perplexity), 3), count - 1) }

    /// A layout's neighbours and where it begins. O(n² · dimension).
    func start(_ progress: Progress) async throws -> TSNE {
        var generator = SplitMix64(seed: seed)
        let landmarks = generator.shuffled(Array(0..<count)).prefix(Self.landmarks).sorted()
        let neighbours = neighbours
        var (nearest, rows) = ([[NeighbourGraph.Neighbour]](), [[Float]]())
        try await forEachRow(progress) { scores, query in
            let row = scores.row(query)
            return (scores.nearest(neighbours, to: query), landmarks.map { row[row.startIndex + $0] })
        } take: { found in
            nearest += found.map(\.0)
            rows += found.map(\.1)
        }
        return try await pass.threads.run { [nearest, rows, generator, perplexity] in
            let layout = LandmarkLayout(landmarks.map { rows[$0] })
            let positions = Self.spread(rows.map(layout.position), generator)
            return TSNE(NeighbourGraph(nearest, perplexity: perplexity), from: positions)
        }
    }

    private static func spread(_ positions: [SIMD2<Double>], _ generator: SplitMix64) -> [SIMD2<Double>] {
        var generator = generator
        let centre = positions.reduce(SIMD2<Double>(), +) / Double(max(positions.count, 1))
        let squares = positions.reduce(0.0) { sum, position in
            sum + ((position - centre) * (position - centre)).sum()
        }
        let size = squares > 0 ? jitter * (squares / Double(positions.count)).squareRoot() : 1
        return positions.map { position in
            let (x, y) = (Double(generator.normal()), Double(generator.normal()))
            return position + SIMD2(x, y) * size
        }
    }

    /// Lays them out. O(iterations · n · log n).
    func layOut(_ start: TSNE, _ progress: Progress) async throws -> TSNE {
        var layout = start
        let (threads, size) = (pass.threads, (count + pass.lanes - 1) / pass.lanes)
        for iteration in 0..<TSNE.iterations {
            let parts = try await withThrowingTaskGroup(of: (Int, TSNE.Forces).self) { [layout, count] group in
                for from in stride(from: 0, to: count, by: size) {
                    group.addTask {
                        (from, try await threads.run { layout.forces(on: from..<min(from + size, count)) })
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
            }
            layout = try await threads.run { [layout] in
                var next = layout
                next.move(by: parts)
                return next
            }
            try await progress(iteration + 1)
        }
        return layout
    }

    /// How far neighbours on the map are neighbours in truth; nil for a map of too few points. O(n² · dimension).
    func trustworthiness(of layout: TSNE, _ progress: Progress) async throws -> Double? {
        guard let measure = Trustworthiness(layout.positions) else { return nil }
        var penalty = 0
        try await forEachRow(progress) { scores, query in
            measure.penalty(of: scores.queries[query], scores.row(query))
        } take: { found in
            penalty += found.reduce(0, +)
        }
        return measure.value(penalty: penalty)
    }

    /// Goes through the scores of all with all, a block of rows at a time, with a few of its rows on a thread at a time.
    private func forEachRow<Found: Sendable>(
        _ progress: Progress, _ body: @escaping @Sendable (ScoreRows, _ query: Int) -> Found, take: ([Found]) -> Void
    ) async throws {
        let (all, columns) = (Array(0..<count), count)
        for start in stride(from: 0, to: count, by: ScorePass.mostQueries) {
            let block = Array(start..<min(start + ScorePass.mostQueries, count))
            let lanes = try await pass.run(block, with: all) { ScoreRows($0, columns: columns) }
            for scores in lanes.map(\.visitor) {
                for first in stride(from: 0, to: scores.queries.count, by: 32) {
                    let some = first..<min(first + 32, scores.queries.count)
                    take(try await pass.threads.run { some.map { body(scores, $0) } })
                }
            }
            try await progress(start + block.count)
        }
    }
}
