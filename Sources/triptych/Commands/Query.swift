import ArgumentParser
import Foundation
import Inference
import Training

/// `triptych query`.
struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Queries a gallery of a running server with a split of a data set, and measures the answers.",
        discussion: """
            Prints one query's matches and, over all queries, mAP and Rank-1, -5, -10 beside those of a random ranking. \
            Matches of the query's own identity and camera are not ranked. --sheet draws some queries with their matches.
            """)

    @OptionGroup var server: ServerOptions
    @Option(help: "The gallery.")
    var gallery: String
    @Option(help: "The data set's folder.")
    var data: String
    @Option(help: "train, query or gallery.")
    var split = "query"
    @Option(help: "The modalities to send, separated by commas.")
    var modalities = "rgb,nir,tir"
    @Option(help: "Where to write a contact sheet, a JPEG file.")
    var sheet: String?
    @Option(help: "Requests under way at the same time.")
    var concurrency = 4
    @Flag(help: "Print the metrics as JSON.")
    var json = false

    struct Match: Decodable, Sendable {
        let identity: String
        let score: Float
        let sighting: String
        let camera: String?
    }

    struct Answer: Decodable, Sendable {
        let matches: [Match]
    }

    private struct Options: Encodable {
        let limit: Int
        let groupBy: String
    }

    private struct Counts: Decodable {
        let sightings: Int
    }

    private struct Outcome: Encodable {
        let metrics: RetrievalMetrics
        let random: RetrievalMetrics
    }

    /// A whole ranking must fit an answer.
    private static let mostSightings = 1000

    func run() async throws {
        let client = try server.client()
        let sent = try chosenModalities()
        let sightings = try TriplesDataset(root: URL(fileURLWithPath: data)).sightings(Split.parse(split))
            .map { TriplesDataset.Sighting($0, keeping: sent) }
        let counts = try await client.send("GET", ["v1", "galleries", gallery], as: Counts.self)
        guard let count = counts?.sightings, (1...Self.mostSightings).contains(count) else {
            throw ValidationError(
                "metrics need whole rankings: expected 1 to \(Self.mostSightings) sightings in gallery \(gallery), found "
                    + "\(counts?.sightings ?? 0)")
        }
        let answers = try await answers(client, sightings, limit: count)
        let outcome = Outcome(
            metrics: RetrievalMetrics(rankings: zip(sightings, answers).lazy.map(Self.ranking)),
            random: Self.random(sightings, answers))
        if let sheet {
            try await RankingSheet(client: client, gallery: gallery, modalities: sent)
                .write(Array(zip(sightings, answers)), to: sheet)
        }
        if json { return try Output.json(outcome) }
        if let query = sightings.first, let answer = answers.first { Self.printMatches(query, answer) }
        Output.metrics([
            (sent.map(\.rawValue).joined(separator: "+"), outcome.metrics), ("random ranking", outcome.random),
        ])
        if let sheet { print("contact sheet: \(sheet)") }
    }

    private func chosenModalities() throws -> [Modality] {
        try modalities.split(separator: ",").map { name in
            guard let modality = Modality(rawValue: String(name)) else {
                throw ValidationError("--modalities: expected rgb, nir, tir, found \(name)")
            }
            return modality
        }.sorted()
    }

    private func answers(
        _ client: APIClient, _ sightings: [TriplesDataset.Sighting], limit: Int
    ) async throws -> [Answer] {
        let gallery = gallery
        return try await SplitUpload(client: client, sightings: sightings, concurrency: concurrency)
            .run(Progress("querying", unit: "triples")) { sighting in
                var form = try SplitUpload.form(sighting)
                try form.add("options", json: Options(limit: limit, groupBy: "sighting"))
                let answer = try await client.send(
                    "POST", ["v1", "galleries", gallery, "queries"], body: form.encoded, as: Answer.self)
                return answer ?? Answer(matches: [])
            }
    }

    private static func ranking(
        _ sighting: TriplesDataset.Sighting, _ answer: Answer
    ) -> (query: RetrievalMetrics.Item, ranked: [RetrievalMetrics.Item]) {
        (
            RetrievalMetrics.Item(identity: sighting.identity, camera: sighting.camera),
            answer.matches.map { .init(identity: $0.identity, camera: $0.camera.flatMap { Int($0) } ?? -1) }
        )
    }

    /// The same galleries in random order.
    private static func random(_ sightings: [TriplesDataset.Sighting], _ answers: [Answer]) -> RetrievalMetrics {
        let orders = Ranking.random(queries: answers.count, gallery: answers.first?.matches.count ?? 0, seed: 1)
        return RetrievalMetrics(
            rankings: zip(zip(sightings, answers).map(ranking), orders).lazy.map { whole, order in
                (whole.query, order.map { whole.ranked[$0] })
            })
    }

    private static func printMatches(_ query: TriplesDataset.Sighting, _ answer: Answer) {
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
    init(_ sighting: TriplesDataset.Sighting, keeping modalities: [Modality]) {
        self.init(
            name: sighting.name, identity: sighting.identity, camera: sighting.camera,
            files: sighting.files.filter { modalities.contains($0.key) })
    }
}
