import ArgumentParser
import Foundation
import Inference
import Training
import TriptychClient

/// `triptych query`.
struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Queries a gallery of a running server with one triple, or with a split of a data set to measure the answers.",
        discussion: """
            With --rgb, --nir and --tir it prints the triple's matches. With --data it prints one query's matches and, over all \
            queries, mAP and Rank-1, -5, -10 beside those of a random ranking. Matches of the query's own identity and camera \
            are not ranked. --sheet draws some queries with their matches.
            """)

    @OptionGroup var target: GalleryOptions
    @OptionGroup var images: TripleOptions
    @Option(help: "Matches of one triple to show.")
    var limit = 10
    @Option(help: "The data set's folder.", completion: .directory)
    var data: String?
    @OptionGroup var layout: LayoutOptions
    @Option(help: "train, query or gallery.", completion: .list(["train", "query", "gallery"]))
    var split = "query"
    @Option(help: "The modalities to send of a data set, separated by commas.")
    var modalities = "rgb,nir,tir"
    @Option(help: "Where to write a contact sheet, a JPEG file.", completion: .file(extensions: ["jpg"]))
    var sheet: String?
    @Option(help: "Requests under way at the same time.")
    var concurrency = 4
    @Flag(help: "Print the answer, or the metrics, as JSON.")
    var json = false

    private struct Outcome: Encodable {
        let metrics: RetrievalMetrics
        let random: RetrievalMetrics
    }

    /// A whole ranking must fit an answer.
    private static let mostSightings = 1000

    func validate() throws {
        guard (data == nil) != images.isEmpty else {
            throw ValidationError("expected --data, or images with --rgb, --nir or --tir")
        }
        guard sheet == nil || data != nil else { throw ValidationError("--sheet goes with --data") }
    }

    func run() async throws {
        let gallery = try target.client()
        guard let data else { return try await queryOne(gallery) }
        let sent = try chosenModalities()
        let sightings = try layout.open(data).sightings(Split.parse(split))
            .map { TriplesDataset.Sighting($0, keeping: sent) }
        let count = try await gallery.summary().sightings
        guard (1...Self.mostSightings).contains(count) else {
            throw ValidationError(
                "metrics need whole rankings: expected 1 to \(Self.mostSightings) sightings in gallery \(gallery.name), found "
                    + "\(count)")
        }
        let answers = try await answers(gallery, sightings, limit: count)
        if let sheet {
            try await RankingSheet(gallery: gallery, modalities: sent)
                .write(Array(zip(sightings, answers)), to: sheet)
        }
        try show(sightings, answers, sent)
    }

    private func queryOne(_ gallery: GalleryClient) async throws {
        let triples = try images.triples()
        guard triples.count == 1 else { throw ValidationError("expected one triple, found \(triples.count)") }
        let answer = try await gallery.query(.triple(triples[0]), QueryOptions(limit: limit))
        if json { return try Output.json(answer) }
        Output.table(
            [["identity", "score", "camera", "sighting", "label"]]
                + answer.matches.map {
                    [$0.identity, String(format: "%.4f", $0.score), $0.camera ?? "", $0.sighting, $0.label ?? ""]
                })
    }

    private func show(
        _ sightings: [TriplesDataset.Sighting], _ answers: [QueryResult], _ sent: [Inference.Modality]
    ) throws {
        let outcome = Outcome(
            metrics: RetrievalMetrics(rankings: zip(sightings, answers).lazy.map(Self.ranking)),
            random: Self.random(sightings, answers))
        if json { return try Output.json(outcome) }
        if let query = sightings.first, let answer = answers.first { Self.printMatches(query, answer) }
        Output.metrics([
            (sent.map(\.rawValue).joined(separator: "+"), outcome.metrics), ("random ranking", outcome.random),
        ])
        if let sheet { print("contact sheet: \(sheet)") }
    }

    private func chosenModalities() throws -> [Inference.Modality] {
        try modalities.split(separator: ",").map { name in
            guard let modality = Inference.Modality(rawValue: String(name)) else {
                throw ValidationError("--modalities: expected rgb, nir, tir, found \(name)")
            }
            return modality
        }.sorted()
    }

    private func answers(
        _ gallery: GalleryClient, _ sightings: [TriplesDataset.Sighting], limit: Int
    ) async throws -> [QueryResult] {
        try await SplitUpload(sightings: sightings, concurrency: concurrency)
            .run(Progress("querying", unit: "triples")) { sighting in
                try await gallery.query(
                    .triple(sighting.triple()), QueryOptions(limit: limit, groupBy: .sighting))
            }
    }

    private static func ranking(
        _ sighting: TriplesDataset.Sighting, _ answer: QueryResult
    ) -> (query: RetrievalMetrics.Item, ranked: [RetrievalMetrics.Item]) {
        (
            RetrievalMetrics.Item(identity: sighting.identity, camera: sighting.camera),
            answer.matches.map { .init(identity: $0.identity, camera: $0.camera.flatMap { Int($0) } ?? -1) }
        )
    }

    /// The same galleries in random order.
    private static func random(_ sightings: [TriplesDataset.Sighting], _ answers: [QueryResult]) -> RetrievalMetrics {
        let orders = Ranking.random(queries: answers.count, gallery: answers.first?.matches.count ?? 0, seed: 1)
        return RetrievalMetrics(
            rankings: zip(zip(sightings, answers).map(ranking), orders).lazy.map { whole, order in
                (whole.query, order.map { whole.ranked[$0] })
            })
    }

    private static func printMatches(_ query: TriplesDataset.Sighting, _ answer: QueryResult) {
        print("query \(query.name): identity \(query.identity) from camera \(query.camera)")
        let rows = answer.matches.prefix(8).enumerated().map { rank, match in
            [
                "\(rank + 1)", match.identity, match.camera ?? "", String(format: "%.3f", match.score),
                match.identity != query.identity ? "" : match.camera == "\(query.camera)" ? "same camera" : "right",
            ]
        }
        Output.table([["rank", "identity", "camera", "score", ""]] + rows)
        print()
    }
}

extension TriplesDataset.Sighting {
    /// The sighting with the images of some modalities only.
    init(_ sighting: TriplesDataset.Sighting, keeping modalities: [Inference.Modality]) {
        self.init(
            name: sighting.name, identity: sighting.identity, camera: sighting.camera, scene: sighting.scene,
            files: sighting.files.filter { modalities.contains($0.key) })
    }
}
