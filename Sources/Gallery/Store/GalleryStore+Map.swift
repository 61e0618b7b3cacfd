import Foundation
import Mapping

extension GalleryStore {
    /// Makes a two-dimensional map of a gallery's embeddings by t-SNE, and keeps it as the model's latest.
    ///
    /// Distances are those of scores, so sightings of different modalities are compared as queries are. The same gallery, options and
    /// release give the same map, whatever the number of threads. Throws `.notFound`, `.invalid`, or `.tooFew` for a gallery without
    /// two sightings that the model has embedded. O(samples² · dimension); memory: 256 MiB at 20 000 samples.
    ///
    /// - Parameter progress: told how many steps have been done, of how many: for each sighting its neighbours, the iterations, for
    ///   each sighting how true its place is.
    public func map(
        in gallery: String, model: String, _ options: MapOptions = MapOptions(),
        progress: (_ done: Int, _ total: Int) async throws -> Void = { _, _ in }
    ) async throws -> GalleryMap {
        try options.validate()
        let (scope, whole) = try await scorePass(in: gallery, model: model)
        let shown = try await threads.run { [roster = whole.roster] in
            let places = roster.balancedSample(options.samples, seed: options.seed)
            return GalleryRoster(
                members: places.map { roster.members[$0] }, identities: roster.identities, space: roster.space)
        }
        let count = shown.members.count
        let perplexity = min(options.perplexity, max(Double(count - 1) / 3, 1))
        let maker = MapMaker(
            pass: ScorePass(roster: shown, source: whole.source, threads: threads), perplexity: perplexity,
            seed: options.seed)
        let total = 2 * count + TSNE.iterations
        try await progress(0, total)
        let start = try await maker.start { try await progress($0, total) }
        let layout = try await maker.layOut(start) { try await progress(count + $0, total) }
        let trustworthiness = try await maker.trustworthiness(of: layout) {
            try await progress(count + TSNE.iterations + $0, total)
        }
        let map = GalleryMap(
            model: model, seed: options.seed, sightings: whole.roster.members.count,
            identities: Set(whole.roster.members.map(\.identity)).count, samples: count, perplexity: perplexity,
            iterations: TSNE.iterations, trustworthiness: trustworthiness)
        let points = zip(shown.members, layout.normalised).map { (sighting: $0.sighting, position: $1) }
        try await transactions.save(map, points: points, gallery: scope.gallery)
        return map
    }

    /// A part of the latest map of a gallery, of one model or of whichever was last, with today's names. Throws `.notFound`.
    public func latestMap(
        in gallery: String, model: String? = nil, _ page: PageRequest = .first
    ) async throws -> MapPage {
        try await transactions.latestMap(in: gallery, model: model, page)
    }
}
