import ArgumentParser
import Foundation
import Inference
import Tensor
import Threads
import Training

/// `triptych evaluate`.
struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a model on the query and gallery splits of a data set, or embeddings that lie in a file.",
        discussion: """
            Every query is ranked against the whole gallery, without what the data set's benchmark leaves out: as a rule \
            what the query's own camera saw of its identity. Queries without anything to find are skipped and counted. The \
            metrics are given for all of the model's modalities, for each alone, and for a random ranking; where \
            benchmarks draw galleries, as means over the trials with their standard deviations. What was ranked is \
            said below the figures. docs/evaluation.md has the definitions.

            With --protocol mix, mix-cam, mix-id, mix-cam-id, cross-modal or uni-modal, galleries of single images are \
            measured (MixER): each image of a query, alone, is ranked against every image of the gallery, whatever its \
            modality. mix ranks everything, mix-cam nothing from the query's camera, mix-id nothing of the query's identity \
            in its modality, mix-cam-id nothing of the query's identity from its camera; cross-modal and uni-modal leave that \
            out too, and rank only images of other modalities than the query's, or only those of its own. Where a benchmark's \
            queries are of one modality and its gallery of another (SYSU-MM01, RegDB, LLCM) the gallery is of both, and is \
            searched with each.
            """)

    @OptionGroup(title: "What is ranked") var source: EvaluationSource
    @OptionGroup(title: "How it is ranked") var ranking: RankingOptions
    @OptionGroup(title: "Open-set identification") var openSet: OpenSetOptions
    @Flag(help: "Only all modalities together, not each alone.")
    var together = false
    @Flag(help: "Also every set of modalities as a query against every set in the gallery.")
    var anyToAny = false
    @Flag(help: "Also the queries of each camera against what each camera saw of the gallery.")
    var cameras = false
    @Flag(help: "Also the descriptions of the query split as queries, for a model that reads texts.")
    var texts = false
    @Flag(help: "Print all as JSON.")
    var json = false

    func validate() throws {
        let tables = [("any-to-any", anyToAny), ("cameras", cameras), ("texts", texts)].filter(\.1).map { "--\($0.0)" }
        let extras = tables + (openSet.share == nil ? [] : ["--open-set"])
        if source.checkpoint.count > 1, !source.ensemble, let extra = (extras + ranking.mixed).first {
            throw ValidationError(
                "\(extra): expected one --checkpoint, or --ensemble, found \(source.checkpoint.count) models")
        }
        if source.embeddings != nil,
            let name = (["--any-to-any", "--texts"] + ["--together"])
                .first(where: { tables.contains($0) || together && $0 == "--together" })
        {
            throw ValidationError("\(name): expected a model, found --embeddings, which have no modalities")
        }
        if let name = ranking.mixed.first, anyToAny || texts {
            throw ValidationError("\(name): expected neither --any-to-any nor --texts beside it, as images stand alone")
        }
        if source.embeddings == nil, let rule = ranking.rule, !RetrievalProtocol.mixed.contains(rule) {
            let names = RetrievalProtocol.mixed.map(\.rawValue).joined(separator: ", ")
            throw ValidationError(
                "--protocol: expected one of \(names), as a data set has its own rule; found \(rule.rawValue)")
        }
        if openSet.share != nil, !ranking.scoresAreCosines {
            throw ValidationError(
                "--open-set: expected scores that are cosines, found --rerank or --distance euclidean")
        }
        if source.ensemble, ranking.method.distance == .euclidean {
            throw ValidationError("--ensemble: expected the cosine, as each model's vector is normalised")
        }
    }

    func run() async throws {
        let evaluation = try await measured()
        if let curve = openSet.curve, let found = evaluation.openSets { try OpenSetChart(found).write(to: curve) }
        if json { return try Output.json(evaluation) }
        Output.evaluation(evaluation)
        if let curve = openSet.curve { print("\ncurve: \(curve)") }
    }

    private var plan: EvaluationPlan {
        var plan = EvaluationPlan()
        plan.method = ranking.method
        plan.rows = together ? .together : .each
        (plan.comparesSets, plan.comparesCameras, plan.openSet) = (anyToAny, cameras, openSet.plan)
        return plan
    }

    private func measured() async throws -> Evaluation {
        let (plan, source) = (plan, source)
        if let path = source.embeddings {
            let task = try EmbeddingFile(
                path: path, protocol: ranking.rule ?? .standard, isDeduplicated: source.deduplicated
            ).task
            return try await ComputeThread.shared.run { try Evaluation([task], plan) }
        }
        let models = source.ensemble ? [source.checkpoint] : source.checkpoint.map { [$0] }
        // Opened first: a wrong data set should not be found after hours.
        let datasets = try models.indices.map { try source.open(trialsLater: $0) }
        var trials: [Evaluation] = []
        for (paths, dataset) in zip(models, datasets) {
            let model = try ModelMeasurement(source, dataset, paths, sets: sets, isMixed: !ranking.mixed.isEmpty)
            trials.append(try await measured(model, plan))
        }
        if trials.count == 1 { return trials[0] }
        return Evaluation(results: RetrievalResult.combined(trials.map(\.results)))
    }

    /// The sets of modalities that are asked for.
    private var sets: ModelMeasurement.Sets {
        if anyToAny { return .all }
        return ranking.mixed.isEmpty && together ? .whole : .wholeAndEach
    }

    private func measured(_ model: ModelMeasurement, _ plan: EvaluationPlan) async throws -> Evaluation {
        let (rule, isMixed, texts) = (ranking.rule, !ranking.mixed.isEmpty, texts)
        return try await ComputeThread.shared.run {
            // First: that there are none to read should not be found after hours.
            let texts = texts ? try model.texts() : nil
            let tasks = try model.encoded()
            let progress = Progress("comparing sets of modalities", unit: "pairs")
            if isMixed, let rule {
                return try Evaluation(try tasks.tasks.map { try tasks.singles($0, rule: rule) }, plan)
            }
            var evaluation = try Evaluation(tasks, plan) { progress.update($0, of: $1) }
            if let texts {
                for task in try tasks.tasks(texts) { evaluation.add(task.result(plan.method)) }
            }
            evaluation.addRandom(tasks.tasks)
            return evaluation
        }
    }
}
