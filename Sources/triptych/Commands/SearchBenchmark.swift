import ArgumentParser
import Foundation
import Gallery
import Randomness
import Threads

/// `triptych benchmark search`.
struct SearchBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Measures how long a gallery of so many sightings takes to search.",
        discussion: """
            Sightings of identities, twenty each, around centres; queries are further sightings of some of them. With the flat \
            spectrum every direction has the same variance; with the decaying one the i-th has 1/(1 + i/8)^1.5 of the first's, \
            as features of trained networks have, and the directions are not those of the axes. Vectors go to a temporary file, \
            from which those that are scored in the end are read. A few answers are compared with a float32 scan of the file; a \
            difference is an error.
            """)

    @Option(help: "Sightings.")
    var rows = 100_000
    @Option(help: "Elements of a vector.")
    var dimension = 768
    @Option(help: "Queries that are measured.")
    var queries = 20
    @Option(help: "Queries that are searched together.")
    var batch = 32
    @Option(help: "Answers of a query.")
    var limit = 10
    @Option(help: "flat or decaying.")
    var spectrum = Spectrum.decaying
    @Option(
        help: "Take vectors from this file of float32 instead: rows, and in the end as many queries as are asked for.")
    var vectors: String?
    @Option(help: "Threads of one search (default: one a core).")
    var threads: Int?
    @Option(help: "Where the vectors are written for the time being.")
    var folder: String?
    @Flag(help: "Print the figures as JSON.")
    var json = false

    enum Spectrum: String, ExpressibleByArgument, CaseIterable {
        case flat, decaying
    }

    private struct Figures: Encodable {
        struct Times: Encodable {
            let medianMs: Double
            let minimumMs: Double
        }

        let rows: Int
        let dimension: Int
        let spectrum: String
        let threads: Int
        let one: Times
        let batch: Times
        let startSeconds: Double
        let residentMegabytes: Double
        let indexMegabytes: Double
        /// Bytes that one query reads, of the vectors' own.
        let readShare: Double
    }

    func validate() throws {
        guard (1...100_000_000).contains(rows), (1...4096).contains(dimension), (1...100_000).contains(queries),
            (1...64).contains(batch), (1...1000).contains(limit), (1...256).contains(threads ?? 1)
        else {
            throw ValidationError(
                "expected --rows 1 to 100000000, --dimension 1 to 4096, --queries 1 to 100000, --batch 1 to 64, --limit 1 to "
                    + "1000, --threads 1 to 256")
        }
    }

    func run() async throws {
        let count = threads ?? ProcessInfo.processInfo.activeProcessorCount
        let workers = WorkerThreads("search", count: count)
        let index = VectorIndex(
            space: VectorSpace(combination: .sum, modalities: ["rgb"], partDimension: dimension))
        let (file, rows, asked) = try material()
        let startSeconds = try await fill(index, file, rows)
        try await check(asked.prefix(3), index, file, rows, workers, count)
        var one: [Double] = []
        var candidates = 0
        for query in asked.prefix(queries) {
            let start = ContinuousClock.now
            candidates += try await index.search([query], source: file, threads: workers, slices: count)[0].candidates
            one.append(start.duration(to: .now).milliseconds)
        }
        var together: [Double] = []
        for _ in 0..<3 {
            let start = ContinuousClock.now
            _ = try await index.search(Array(asked.prefix(batch)), source: file, threads: workers, slices: count)
            together.append(start.duration(to: .now).milliseconds)
        }
        let share = 0.25 + Double(candidates) / Double(one.count) / Double(rows)
        try report(
            Figures(
                rows: rows, dimension: dimension, spectrum: vectors == nil ? spectrum.rawValue : "given",
                threads: count, one: times(one),
                batch: times(together), startSeconds: startSeconds, residentMegabytes: Self.residentMegabytes,
                indexMegabytes: Double(index.memoryBytes) / 1e6, readShare: share))
    }

    private func query(_ vector: IndexVector) -> VectorIndex.Query {
        VectorIndex.Query(vectors: [vector], limit: limit, grouping: .sighting)
    }

    /// The vectors in a file, how many of them are searched, and the queries.
    private func material() throws -> (VectorFile, Int, [VectorIndex.Query]) {
        let most = max(queries, batch)
        if let vectors {
            let file = try VectorFile(reading: vectors, dimension: dimension)
            let rows = file.count - most
            guard rows > 0 else {
                throw ValidationError("\(vectors): expected more than \(most) vectors, found \(file.count)")
            }
            let asked = try (0..<most).map {
                query(try file.vectors(of: [Int64(rows + $0)])[Int64(rows + $0)]?.first ?? VectorFile.vector([]))
            }
            return (file, rows, asked)
        }
        let generator = SightingGenerator(dimension: dimension, rows: rows, isDecaying: spectrum == .decaying)
        let file = try VectorFile(in: folder ?? NSTemporaryDirectory(), dimension: dimension)
        let progress = Progress("making vectors", unit: "vectors")
        for row in 0..<rows {
            try file.append(generator.vector(row))
            if row % 1000 == 999 || row == rows - 1 { progress.update(row + 1, of: rows) }
        }
        try file.finish()
        return (file, rows, generator.queries(most).map { query(VectorFile.vector($0)) })
    }

    /// Reads the vectors into the index. Seconds.
    private func fill(_ index: VectorIndex, _ file: VectorFile, _ rows: Int) async throws -> Double {
        let start = ContinuousClock.now
        for row in 0..<rows {
            let entry = VectorIndex.Entry(
                sighting: Int64(row), identity: Int64(row / SightingGenerator.perIdentity),
                vectors: try file.vectors(of: [Int64(row)])[Int64(row)] ?? [])
            guard index.append(entry) else { throw ValidationError("row \(row) was refused") }
        }
        return start.duration(to: .now).milliseconds / 1000
    }

    /// Throws if an answer is not that of a scan.
    private func check(
        _ queries: some Collection<VectorIndex.Query>, _ index: VectorIndex, _ file: VectorFile,
        _ rows: Int, _ workers: WorkerThreads, _ slices: Int
    ) async throws {
        for query in queries {
            let found = try await index.search([query], source: file, threads: workers, slices: slices)[0].hits
            let scores = try file.scan(query.vectors[0], rows: rows)
            let expected = scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
                .prefix(query.limit)
            guard found.map({ Int($0.sighting) }) == Array(expected),
                zip(found, expected).allSatisfy({ $0.score == scores[$1] })
            else {
                throw ValidationError(
                    "a search found \(found.prefix(3)), a scan \(expected.prefix(3).map { ($0, scores[$0]) })")
            }
        }
    }

    private func times(_ values: [Double]) -> Figures.Times {
        let sorted = values.sorted()
        return Figures.Times(medianMs: sorted[sorted.count / 2], minimumMs: sorted[0])
    }

    private func report(_ figures: Figures) throws {
        if json { return try Output.json(figures) }
        print(
            String(
                format: "%d x %d, %@ spectrum, %d threads", figures.rows, figures.dimension, figures.spectrum,
                figures.threads))
        for (name, times) in [("one query", figures.one), ("\(batch) together", figures.batch)] {
            print(String(format: "%@: median %.2f ms, minimum %.2f ms", name, times.medianMs, times.minimumMs))
        }
        print(
            String(
                format:
                    "filled in %.2f s, index %.0f MB (%.2f of the vectors), resident %.0f MB, read %.3f of the vectors",
                figures.startSeconds, figures.indexMegabytes,
                figures.indexMegabytes * 1e6 / Double(4 * figures.rows * figures.dimension), figures.residentMegabytes,
                figures.readShare))
    }

    private static var residentMegabytes: Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        return (status.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Double($0.output.1) } ?? 0) / 1000
    }
}

extension Duration {
    fileprivate var milliseconds: Double { seconds * 1000 }
}
