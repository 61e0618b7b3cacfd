import ArgumentParser
import Foundation
import Inference
import Tensor
import Threads
import Training

/// `triptych evaluate`.
struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a model on the query and gallery splits of a data set.",
        discussion: """
            Every query is ranked against the whole gallery; gallery triples of the query's own identity and camera are \
            not ranked. Queries without anything to find are skipped and counted. The metrics are given for all of the \
            model's modalities, for each alone, and for a random ranking.

            With --protocol, galleries of single images are measured (MixER): each image of a query, alone, is ranked \
            against every image of the gallery, whatever its modality. mix ranks everything, mix-cam nothing from the \
            query's camera, mix-id nothing of the query's identity in its modality, mix-cam-id nothing of the query's \
            identity from its camera.
            """)

    @Option(help: "The model.")
    var checkpoint: String
    @Option(help: "The data set's folder.")
    var data: String
    @Option(help: "How far embeddings are apart: cosine or euclidean.")
    var distance = "cosine"
    @Option(name: .customLong("protocol"), help: "For single images: mix, mix-cam, mix-id or mix-cam-id.")
    var rule: String?
    @Flag(help: "Only all modalities together, not each alone.")
    var together = false
    @Flag(help: "Print the metrics as JSON.")
    var json = false

    private struct Row: Encodable {
        let modalities: String
        let metrics: RetrievalMetrics
    }

    func run() async throws {
        guard let distance = Ranking.Distance(rawValue: distance) else {
            throw ValidationError("--distance: expected cosine or euclidean, found \(distance)")
        }
        let rule = RetrievalProtocol(rawValue: rule ?? RetrievalProtocol.standard.rawValue)
        guard let rule else { throw ValidationError("--protocol: expected mix, mix-cam, mix-id or mix-cam-id") }
        let encoder = try MultimodalEncoder(consuming: Checkpoint.load(path: checkpoint))
        let dataset = try TriplesDataset(root: URL(fileURLWithPath: data))
        let preprocessing = Preprocessing(encoder.configuration.input)
        let queries = SightingImages(try dataset.sightings(.query), preprocessing)
        let gallery = SightingImages(try dataset.sightings(.gallery), preprocessing)
        if rule != .standard { return try await mixed(encoder, queries, gallery, rule, distance) }
        var subsets = [encoder.modalities]
        if !together && encoder.modalities.count > 1 { subsets += encoder.modalities.map { [$0] } }
        var rows: [Row] = []
        for subset in subsets {
            let name = subset.map(\.rawValue).joined(separator: "+")
            let progress = Progress("encoding \(name)", unit: "triples")
            let metrics = try await ComputeThread.shared.run {
                try DatasetEvaluation(encoder).metrics(
                    queries: queries, gallery: gallery, modalities: subset, distance: distance
                ) { progress.update($0, of: $1) }
            }
            rows.append(Row(modalities: name, metrics: metrics))
        }
        let orders = Ranking.random(queries: queries.sightings.count, gallery: gallery.sightings.count, seed: 1)
        let random = DatasetEvaluation.metrics(orders, queries: queries.sightings, gallery: gallery.sightings)
        rows.append(Row(modalities: "random ranking", metrics: random))
        try show(rows)
    }

    private func mixed(
        _ encoder: MultimodalEncoder, _ queries: SightingImages, _ gallery: SightingImages, _ rule: RetrievalProtocol,
        _ distance: Ranking.Distance
    ) async throws {
        let progress = Progress("encoding each image", unit: "images")
        let metrics = try await ComputeThread.shared.run {
            try DatasetEvaluation(encoder).mixedMetrics(
                queries: queries, gallery: gallery, protocol: rule, distance: distance
            ) { progress.update($0, of: $1) }
        }
        try show([Row(modalities: rule.rawValue, metrics: metrics)])
    }

    private func show(_ rows: [Row]) throws {
        if json { return try Output.json(rows) }
        Output.metrics(rows.map { ($0.modalities, $0.metrics) })
    }
}
