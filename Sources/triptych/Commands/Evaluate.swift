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
            Every query is ranked against the whole gallery, without what the data set's benchmark leaves out: as a rule \
            what the query's own camera saw of its identity. Queries without anything to find are skipped and counted. The \
            metrics are given for all of the model's modalities, for each alone, and for a random ranking; where \
            benchmarks draw galleries, as means over the trials with their standard deviations. What was ranked is \
            said below the figures.

            With --protocol, galleries of single images are measured (MixER): each image of a query, alone, is ranked \
            against every image of the gallery, whatever its modality. mix ranks everything, mix-cam nothing from the \
            query's camera, mix-id nothing of the query's identity in its modality, mix-cam-id nothing of the query's \
            identity from its camera.
            """)

    @Option(help: "The model. With RegDB it may be given again, a model a trial, from --trial on.")
    var checkpoint: [String]
    @OptionGroup var dataset: DatasetOptions
    @Option(help: "How far embeddings are apart: cosine or euclidean.")
    var distance = "cosine"
    @Option(name: .customLong("protocol"), help: "For single images: mix, mix-cam, mix-id or mix-cam-id.")
    var rule: String?
    @Flag(help: "Only all modalities together, not each alone.")
    var together = false
    @Flag(help: "Print the metrics as JSON.")
    var json = false

    func run() async throws {
        guard let distance = Ranking.Distance(rawValue: distance) else {
            throw ValidationError("--distance: expected cosine or euclidean, found \(distance)")
        }
        let rule = try rule.map { name in
            guard let rule = RetrievalProtocol.mixed.first(where: { $0.rawValue == name }) else {
                throw ValidationError("--protocol: expected mix, mix-cam, mix-id or mix-cam-id, found \(name)")
            }
            return rule
        }
        let datasets = try checkpoint.indices.map { try dataset.open(trialsLater: $0) }
        if let rule {
            guard checkpoint.count == 1 else {
                throw ValidationError("--protocol: expected one --checkpoint, found \(checkpoint.count)")
            }
            return try await mixed(try encoder(checkpoint[0]), datasets[0], rule, distance)
        }
        var trials: [[RetrievalResult]] = []
        for (path, dataset) in zip(checkpoint, datasets) {
            trials.append(try await results(try encoder(path), dataset, distance))
        }
        let results = RetrievalResult.combined(trials)
        if json { return try Output.json(results) }
        Output.results(results)
    }

    private func encoder(_ path: String) throws -> MultimodalEncoder {
        try MultimodalEncoder(consuming: Checkpoint.load(path: path))
    }

    private func results(
        _ encoder: MultimodalEncoder, _ dataset: TriplesDataset, _ distance: Ranking.Distance
    ) async throws -> [RetrievalResult] {
        let tasks = try dataset.tasks()
        let images = TaskImages(tasks, Preprocessing(encoder.configuration.input), modalities: encoder.modalities)
        var subsets = [encoder.modalities]
        if !together && encoder.modalities.count > 1 && !tasks.contains(where: \.isCrossModal) {
            subsets += encoder.modalities.map { [$0] }
        }
        var results: [RetrievalResult] = []
        for subset in subsets {
            let progress = Progress("encoding \(subset.map(\.rawValue).joined(separator: "+"))", unit: "triples")
            results += try await ComputeThread.shared.run {
                try DatasetEvaluation(encoder).results(images, modalities: subset, distance: distance) {
                    progress.update($0, of: $1)
                }
            }
        }
        return results + tasks.map { RetrievalResult.random($0) }
    }

    private struct Row: Encodable {
        let modalities: String
        let notRanked: String
        let metrics: RetrievalMetrics
    }

    private func mixed(
        _ encoder: MultimodalEncoder, _ dataset: TriplesDataset, _ rule: RetrievalProtocol,
        _ distance: Ranking.Distance
    ) async throws {
        let preprocessing = Preprocessing(encoder.configuration.input)
        let (queries, gallery) = try (dataset.sightings(.query), dataset.sightings(.gallery))
        let progress = Progress("encoding each image", unit: "images")
        let metrics = try await ComputeThread.shared.run {
            try DatasetEvaluation(encoder).mixedMetrics(
                queries: SightingImages(queries, preprocessing, modalities: encoder.modalities),
                gallery: SightingImages(gallery, preprocessing, modalities: encoder.modalities), protocol: rule,
                distance: distance
            ) { progress.update($0, of: $1) }
        }
        if json {
            return try Output.json([Row(modalities: rule.rawValue, notRanked: rule.notRanked, metrics: metrics)])
        }
        Output.metrics([(rule.rawValue, metrics)])
        print("not ranked for a query: \(rule.notRanked)")
    }
}
