import Foundation
import Training
import TriptychClient

/// Sends the sightings of a split to a server, some at a time.
struct SplitUpload {
    let sightings: [TriplesDataset.Sighting]
    /// Requests under way at the same time.
    let concurrency: Int

    /// Runs `send` on each sighting and returns its results in order. The first error ends everything.
    func run<Result: Sendable>(
        _ progress: Progress, _ send: @escaping @Sendable (TriplesDataset.Sighting) async throws -> Result
    ) async throws -> [Result] {
        var results = [Result?](repeating: nil, count: sightings.count)
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var next = 0
            var done = 0
            func add() {
                guard next < sightings.count else { return }
                let (index, sighting) = (next, sightings[next])
                next += 1
                group.addTask { (index, try await send(sighting)) }
            }
            for _ in 0..<max(concurrency, 1) { add() }
            while let (index, result) = try await group.next() {
                results[index] = result
                done += 1
                progress.update(done, of: sightings.count)
                add()
            }
        }
        return results.compactMap { $0 }
    }
}

extension TriplesDataset.Sighting {
    /// As the server is sent it. Throws `DatasetError` for a file that cannot be read.
    func triple() throws -> Triple {
        let named = try files.compactMap { modality, file in
            try TriptychClient.Modality(rawValue: modality.rawValue).map { ($0, try file.forUpload().bytes) }
        }
        return try Triple(Dictionary(uniqueKeysWithValues: named))
    }
}
