import Documents
import Foundation
import Inference
import Tensor

/// Makes a trained model narrow: a folder with the model, and what was measured of it, out of a plan, a parent and a data set.
///
/// Weights of int8 are symmetric with a scale for each output; what they are multiplied with gets its scale as it comes, for
/// each token, or for each image in a ResNet. So nothing of the arithmetic is fitted to data: they measure, and if the plan says so
/// the weights are fine-tuned on them.
public struct Quantizer: Sendable {
    /// What happens during a run, for whoever shows it.
    public enum Event: Sendable {
        /// How many layers become narrow.
        case quantized(layers: Int)
        /// Fewer sightings than the plan asks for.
        case fewSightings(found: Int, expected: Int)
        /// What is lost, as the plan measures it, with so many layers wider.
        case loss(Double, QuantizationPlan.Measure, wider: Int)
        /// The mean of 1 - cosine with channels balanced in so many layers, and without; the smaller one stays.
        case balanced(layers: Int, distance: Double, without: Double)
        /// A step of fine-tuning, from 1, and its loss.
        case tuning(step: Int, of: Int, loss: Float)
        /// The mean of 1 - cosine after fine-tuning, and without; the smaller one stays.
        case tuned(distance: Double, without: Double)
        /// How far a layer moves the embeddings by itself, as 1 - cosine, and the number of it and of all.
        case layer(String, distance: Double, number: Int, of: Int)
        case measuring
        case measured(PrunedModel)
    }

    /// What a run has made.
    public struct Outcome: Sendable {
        /// The path of the model.
        public let path: String
        /// Its digest.
        public let digest: String
        /// The layers that stayed wider.
        public let wider: [String]
        /// What was measured, of the parent first; none without a data set.
        public let models: [PrunedModel]
    }

    private let plan: QuantizationPlan
    private let parent: Checkpoint
    private let parentPath: String
    private let dataset: TriplesDataset?
    private let output: URL

    /// - Parameters:
    ///   - plan: what becomes narrow.
    ///   - parentPath: the checkpoint to quantise.
    ///   - dataset: what to measure on: its query and gallery splits, and for a budget of mAP its train split.
    ///   - output: a new or empty folder.
    ///
    /// Throws `CheckpointError` or `QuantizationError`.
    public init(plan: QuantizationPlan, parentPath: String, dataset: TriplesDataset?, output: URL) throws {
        parent = try Checkpoint.load(path: parentPath)
        if let (path, format) = parent.weights.formats.min(by: { $0.key < $1.key }) {
            throw QuantizationError.alreadyNarrow(path: path, precision: format.precision.rawValue)
        }
        if plan.budget != nil || plan.steps > 0, dataset == nil { throw QuantizationError.nothingToMeasure }
        (self.plan, self.parentPath, self.dataset, self.output) = (plan, parentPath, dataset, output)
    }

    /// Runs to the end. Blocks: call it on a compute thread.
    ///
    /// Throws `DatasetError`, `PruningError.nothingToRank`, `QuantizationError`, `TrainingError`, `WeightsError`,
    /// `EncoderError` or `CheckpointError`.
    @discardableResult
    public func run(report: (Event) -> Void) throws -> Outcome {
        let preprocessing = Preprocessing(parent.configuration.input)
        let set = try dataset.map { dataset in
            try RankingSet(
                dataset, held: SightingImages([], preprocessing), preprocessing,
                modalities: parent.configuration.modalities)
        }
        let held = try heldOut()
        let tuning = plan.steps > 0 ? try dataset.map { try NarrowTuning(parent, in: $0) } : nil
        try RunFolder.make(output)
        let paths = try parent.configuration.narrowableWeights(in: parent.weights)
        report(.quantized(layers: paths.count))
        guard let calibration = (held?.images ?? set?.queries).map(calibrationImages) else {
            return try publish(
                parent.weights.narrowed(paths, to: plan.precision), QuantizationProvenance(plan, parent), nil, report)
        }
        if calibration.sightings.count < plan.calibration {
            report(.fewSightings(found: calibration.sightings.count, expected: plan.calibration))
        }
        let layers = NarrowLayers(
            plan: plan, paths: paths, sensitivity: try LayerSensitivity(parent, on: calibration), held: held)
        let (balanced, isBalanced) = try layers.balanced(parent.weights, report)
        let (whole, isTuned) = try layers.tuned(balanced, by: tuning, report)
        let (weights, wider) = try layers.narrowed(whole, report)
        let provenance = QuantizationProvenance(
            plan, parent, wider: wider, isBalanced: isBalanced, isTuned: isTuned,
            calibration: calibration.sightings.count)
        return try publish(weights, provenance, set, report)
    }

    private func heldOut() throws -> HeldOutRanking? {
        guard plan.budget != nil, plan.measure == .mAP, let dataset else { return nil }
        return try HeldOutRanking(parent, in: dataset)
    }

    /// Some of the sightings, from all of them.
    private func calibrationImages(_ images: SightingImages) -> SightingImages {
        let all = images.sightings
        let count = min(plan.calibration, all.count)
        let chosen = (0..<count).map { all[$0 * all.count / count] }
        return SightingImages(
            chosen, Preprocessing(parent.configuration.input), modalities: parent.configuration.modalities)
    }

    /// Measures the model and writes it, and the table.
    private func publish(
        _ weights: Weights, _ provenance: QuantizationProvenance, _ set: RankingSet?, _ report: (Event) -> Void
    ) throws -> Outcome {
        var configuration = try SelfTest.recorded(in: parent.configuration, weights: weights)
        var provenance = provenance
        var measurement: PruningMeasurement?
        var figures: PruningMeasurement.Figures?
        if let set {
            report(.measuring)
            measurement = try PruningMeasurement(parent, path: parentPath, on: set)
            figures = try measurement?.figures(configuration, weights)
            provenance.data = dataset?.root.lastPathComponent
        }
        configuration.quantization = try provenance.json(measured: figures)
        let file = output.appendingPathComponent("model.safetensors")
        let digest = try Checkpoint.save(
            configuration: configuration, weights: weights, packed: parent.packed, to: file.path)
        if let figures,
            let model = try measurement?.add(
                figures, label: plan.precision.rawValue, digest: digest, file: file)
        {
            try PruningTable(measurement?.models ?? []).write(to: output)
            report(.measured(model))
        }
        return Outcome(path: file.path, digest: digest, wider: provenance.wider, models: measurement?.models ?? [])
    }
}
