import Inference
import Randomness
import Tensor

/// What a training step changes.
struct TrainingState: Sendable {
    /// The model's, batch statistics included.
    var weights: Weights
    /// GraFT's learned centers, [identities, D], and no other's. Not part of the model.
    var centers: Tensor?
    /// New in each stage.
    var optimizer: any Optimizer
    /// Weights that were pruned, and stay zero.
    var mask: WeightMask?
    /// Paths of the weights that a file should hold without their zeros.
    var packed: Set<String> { Set((mask?.kept ?? [:]).keys) }
    /// What embeddings are held near to.
    var distillation: Distillation?
    /// The weights' moving average, if there is one.
    var average: Weights?
    /// What is ranked and published.
    var published: Weights { average ?? weights }

    /// The path of the centers among the gradients.
    static let centersPath = "centers"

    /// A state before the first step of its first stage.
    init(weights: Weights, of configuration: ModelConfiguration, seed: UInt64) {
        var centers: Tensor?
        if case .graft = configuration.system {
            let (identities, width) = (configuration.identities ?? 0, configuration.backbone.width)
            var generator = SplitMix64(seed: seed, stream: 3)
            centers = Tensor((0..<(identities * width)).map { _ in generator.normal() }, shape: [identities, width])
        }
        self.init(weights: weights, centers: centers)
    }

    init(weights: Weights, centers: Tensor?) {
        self.weights = weights
        self.centers = centers
        optimizer = AdamW(AdamW.Options())
    }

    /// One step: forward, loss, gradients, optimiser, batch statistics.
    ///
    /// - Parameters:
    ///   - configuration: with the number of identities.
    ///   - batch: tensors, labels and triples.
    ///   - stage: what is minimised, and how.
    ///   - options: what else the step depends on.
    /// - Returns: the loss and its terms, before the step.
    /// - Throws: `Divergence`, `WeightsError` or `EncoderError`.
    mutating func step(
        _ configuration: ModelConfiguration, _ batch: TrainingBatch, _ stage: Recipe.Stage, _ options: StepOptions
    ) throws -> (loss: Float, terms: [String: Float]) {
        let statistics = RunningStatistics()
        var pass = pass(configuration, stage, statistics)
        pass.frozen = options.frozen + stage.objective.unreached(by: configuration)
        (pass.dropout, pass.dropPath) = (options.dropout, options.dropPath)
        (pass.atOnce, pass.distillation) = (options.atOnce, distillation)
        let result = try pass(batch)
        try Divergence.check(loss: result.loss, terms: result.terms, gradients: result.gradients)
        var gradients = result.gradients
        if let limit = stage.clipNorm { gradients = gradients.clipped(toNorm: limit) }
        // The centers take part in the step like any other parameter.
        weights[Self.centersPath] = centers
        optimizer.step(&weights, gradients: gradients, learningRate: options.learningRate, groups: stage.groups)
        centers = weights[Self.centersPath]
        weights[Self.centersPath] = nil
        for (path, statistic) in statistics.byPath { weights[path] = statistic }
        mask?.apply(to: &weights)
        try Divergence.check(weights, at: gradients.keys)
        if let averaging = options.averaging { average = Self.mixed(average ?? weights, weights, averaging) }
        return (result.loss, result.terms)
    }

    private static func mixed(_ old: Weights, _ new: Weights, _ share: Float) -> Weights {
        Weights(
            new.tensors.reduce(into: [:]) { mixed, entry in
                guard let old = old[entry.key] else { return }
                mixed[entry.key] = old.scaled(by: share) + entry.value.scaled(by: 1 - share)
            })
    }

    private func pass(
        _ configuration: ModelConfiguration, _ stage: Recipe.Stage, _ statistics: RunningStatistics
    ) -> GradientPass {
        GradientPass(configuration, weights, centers: centers, stage.objective, statistics)
    }

    /// The gradients of the system's own objective with respect to every parameter, frozen ones included; nothing changes.
    func objectiveGradients(
        _ configuration: ModelConfiguration, _ batch: TrainingBatch, _ stage: Recipe.Stage
    ) throws -> [String: Tensor] {
        try pass(configuration, stage, RunningStatistics())(batch).gradients
    }
}

/// What a step depends on beside the batch and the stage.
struct StepOptions {
    /// After the schedule.
    var learningRate: Float
    /// Nil for none.
    var dropout: Dropout?
    /// Nil for none.
    var dropPath: DropPath?
    /// The beginnings of the paths that stay as they are.
    var frozen: [String] = []
    /// What stays of the average; nil for none.
    var averaging: Float?
    /// Triples that are encoded at a time; nil for all.
    var atOnce: Int?
}

/// A number that training cannot go on from.
struct Divergence: Error {
    /// Which, and what it is.
    let what: String

    /// Throws for the first of them that is not finite.
    static func check(loss: Float, terms: [String: Float], gradients: [String: Tensor]) throws(Divergence) {
        let named = terms.sorted { $0.key < $1.key }
        if let term = named.first(where: { !$0.value.isFinite }) {
            let others = named.filter { $0.key != term.key && $0.value.isFinite }.map { "\($0.key) is \($0.value)" }
            let rest = others.isEmpty ? "" : " (\(others.joined(separator: ", ")))"
            throw Divergence(what: "the loss's term \(term.key) is \(name(term.value))\(rest)")
        }
        guard loss.isFinite else { throw Divergence(what: "the loss is \(name(loss)) though its terms are finite") }
        if let path = gradients.keys.sorted().first(where: { gradients[$0]?.isFinite == false }) {
            throw Divergence(what: "the gradient of \(path) has elements that are not finite")
        }
    }

    /// Throws for the first of the weights at some paths that is not finite. O(parameters).
    static func check(_ weights: Weights, at paths: some Sequence<String>) throws(Divergence) {
        if let path = paths.sorted().first(where: { weights[$0]?.isFinite == false }) {
            throw Divergence(what: "after the step the weight \(path) has elements that are not finite")
        }
    }

    // A NaN may have a sign, which says nothing.
    private static func name(_ value: Float) -> String { value.isNaN ? "not a number" : "infinite" }
}
