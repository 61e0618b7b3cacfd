import Inference
import Randomness
import Tensor

/// The loss of a batch and its gradients with respect to every parameter that is not frozen.
///
/// A batch of many images need not be on the tape at once. Where modalities learn apart (UniCat), they are gone through one after
/// the other. Where a batch is to be encoded a few triples at a time, features are first computed off the tape, the loss, with
/// mining over the whole batch, is taken back to them, and then each few triples are encoded again and taken further back
/// (gradient caching; Gao et al., 2021): the same gradients, at the price of a second forward pass.
package struct GradientPass {
    /// What comes of it.
    package struct Result {
        /// The loss, its unweighted terms by name, and the gradients by path.
        package let loss: Float, terms: [String: Float], gradients: [String: Tensor]
    }

    private struct Drops {
        var dropout: Dropout?
        var dropPath: DropPath?
    }

    private let configuration: ModelConfiguration
    private let weights: Weights
    private let centers: Tensor?
    private let objective: Objective
    private let statistics: RunningStatistics
    /// What embeddings are held near to.
    var distillation: Distillation?
    /// The beginnings of the paths that have no gradients.
    var frozen: [String] = []
    /// What drops activations; nil drops none.
    package var dropout: Dropout?
    /// What drops branches of residual blocks; nil drops none.
    package var dropPath: DropPath?
    /// Triples that are encoded at a time; nil for all.
    package var atOnce: Int?

    /// - Parameters:
    ///   - configuration: with the number of identities.
    ///   - weights: the model's.
    ///   - centers: GraFT's.
    ///   - objective: what is minimised.
    ///   - statistics: gathers the running averages of batch norms.
    package init(
        _ configuration: ModelConfiguration, _ weights: Weights, centers: Tensor? = nil, _ objective: Objective,
        _ statistics: RunningStatistics
    ) {
        (self.configuration, self.weights, self.centers) = (configuration, weights, centers)
        (self.objective, self.statistics) = (objective, statistics)
    }

    /// Throws `WeightsError` or `EncoderError`.
    package func callAsFunction(_ batch: TrainingBatch) throws -> Result {
        guard case .images(let images) = batch.input else { return try whole(batch) }
        if let atOnce, atOnce < batch.rows.count { return try inParts(batch, images, of: atOnce) }
        let isSeparable = configuration.system == .unicat && distillation == nil && images.count > 1
        return try isSeparable ? byModality(batch, images) : whole(batch)
    }

    private func system(
        frozen: [String], _ drops: Drops, statistics: RunningStatistics
    ) throws -> any EncodingSystem {
        let mode = ModelMode.training(
            dropout: drops.dropout, dropPath: drops.dropPath, frozen: frozen, statistics: statistics)
        return try configuration.makeSystem(ParameterScope(weights, mode: mode))
    }

    private func whole(_ batch: TrainingBatch) throws -> Result {
        let system = try system(frozen: frozen, .init(dropout: dropout, dropPath: dropPath), statistics: statistics)
        let value = try value(of: batch.run(system), batch)
        return Result(loss: value.total.scalar, terms: value.terms, gradients: gradients(of: value.total))
    }

    private func value(of output: SystemOutput, _ batch: TrainingBatch) throws -> Objective.Value {
        let value = objective(
            output,
            .init(
                labels: batch.labels, triples: batch.triples,
                centers: centers?.tracked(as: TrainingState.centersPath)))
        guard let distillation else { return value }
        return value.adding(
            "distillation", try distillation.term(output.embedding, batch), weight: distillation.weight)
    }

    /// Each modality on a tape of its own: its loss depends on no other.
    private func byModality(_ batch: TrainingBatch, _ images: [Modality: Tensor]) throws -> Result {
        let system = try system(frozen: frozen, .init(dropout: dropout, dropPath: dropPath), statistics: statistics)
        var (values, found): ([Objective.Value], [String: Tensor]) = ([], [:])
        for modality in configuration.modalities {
            guard let own = images[modality] else { continue }
            let features = system.features([modality: own])
            let value = try value(of: system.output(features, batch.rows), batch)
            found.merge(gradients(of: value.total)) { $0 + $1 }
            values.append(value.detached)
        }
        let sum = Objective.Value(sumOf: values)
        return Result(loss: sum.total.scalar, terms: sum.terms, gradients: found)
    }

    private func inParts(_ batch: TrainingBatch, _ images: [Modality: Tensor], of size: Int) throws -> Result {
        let parts = batch.rows.parts(of: size).map { part in
            part.reduce(into: [Modality: Tensor]()) { own, range in
                own[range.key] = images[range.key]?.sliced(axis: 0, range.value)
            }
        }
        let drops = drops()
        let features = try features(parts, drops)
        let head = try system(frozen: frozen, drops(parts.count), statistics: statistics)
        let value = try value(of: head.output(features, batch.rows), batch)
        let found = gradients(of: value.total)
        return Result(loss: value.total.scalar, terms: value.terms, gradients: try carried(found, to: parts, drops))
    }

    /// What falls out of each part: the same whenever it is encoded.
    private func drops() -> (Int) -> Drops {
        let (state, pathState) = (dropout?.state ?? 0, dropPath?.state ?? 0)
        return { part in
            let generator = { (state: UInt64) in SplitMix64(seed: state, stream: UInt64(part)) }
            return Drops(
                dropout: dropout.map { Dropout(probability: $0.probability, generator: generator(state)) },
                dropPath: dropPath.map { DropPath(rate: $0.rate, generator: generator(pathState)) })
        }
    }

    private static func path(_ modality: Modality) -> String { "features.\(modality.rawValue)" }

    /// The features of all parts, as leaves of a tape that begins there.
    private func features(
        _ parts: [[Modality: Tensor]], _ drops: (Int) -> Drops
    ) throws -> [Modality: Tensor] {
        var cached: [Modality: [Tensor]] = [:]
        for (index, part) in parts.enumerated() {
            let system = try system(frozen: [""], drops(index), statistics: statistics)
            for (modality, features) in system.features(part) { cached[modality, default: []].append(features) }
        }
        return cached.reduce(into: [:]) { leaves, entry in
            leaves[entry.key] = Tensor.concatenated(entry.value, axis: 0).tracked(as: Self.path(entry.key))
        }
    }

    /// Gradients with respect to features, and to what comes after them, taken back to all parameters.
    private func carried(
        _ last: [String: Tensor], to parts: [[Modality: Tensor]], _ drops: (Int) -> Drops
    ) throws -> [String: Tensor] {
        var (found, starts) = (last, [Modality: Int]())
        let ofFeatures = configuration.modalities.reduce(into: [Modality: Tensor]()) { all, modality in
            all[modality] = found.removeValue(forKey: Self.path(modality))
        }
        for (index, part) in parts.enumerated() {
            // What batch norms gather was gathered the first time.
            let system = try system(frozen: frozen, drops(index), statistics: RunningStatistics())
            let features = system.features(part)
            let products = configuration.modalities.compactMap { modality -> Tensor? in
                guard let own = features[modality], let gradient = ofFeatures[modality] else { return nil }
                let start = starts[modality, default: 0]
                starts[modality] = start + own.shape[0]
                return (own * gradient.sliced(axis: 0, start..<(start + own.shape[0]))).sum()
            }
            guard !products.isEmpty else { continue }
            found.merge(gradients(of: Losses.sum(products))) { $0 + $1 }
        }
        return found
    }
}
