import Inference
import Tensor

/// Fine-tunes a model that is to become narrow (quantisation-aware training; Jacob et al., 2018, section 3): each step computes as
/// the narrow model would, takes the gradients straight through what is rounded, and moves the weights as they are before
/// rounding. What is minimised is the mean of 1 - cosine to the parent's embeddings of the same images (or texts); no losses of
/// identities, by which the model would also become another one.
///
/// Batches, changes to images and seed are those of the parent's own training, so that whom it held out stays unseen. Batch
/// norms keep their running averages, and weights that were pruned stay zero.
struct NarrowTuning {
    /// Triples that are on the tape at a time, unless the recipe says it: gradients are the same.
    private static let atOnce = 8

    private let parent: Checkpoint
    private let recipe: Recipe
    private let seed: UInt64
    private let data: TrainingData

    /// Throws `QuantizationError.noRecipe` or `DatasetError`.
    init(_ parent: Checkpoint, in dataset: TriplesDataset) throws {
        guard let (recipe, seed) = parent.trainedBy else { throw QuantizationError.noRecipe }
        (self.parent, self.recipe, self.seed) = (parent, recipe, seed)
        data = try TrainingData(dataset, recipe, seed: seed)
    }

    /// The weights after the plan's steps of Adam, whose rate falls to 0 as half a cosine; those at `paths` are rounded in each.
    /// Throws `TrainingError.diverged`, `DatasetError`, `WeightsError` or `EncoderError`.
    ///
    /// - Parameter report: is told each step, from 1, and its loss.
    func tuned(
        _ weights: Weights, _ paths: [String], _ plan: QuantizationPlan, _ report: (Int, Float) -> Void
    ) throws -> Weights {
        var weights = weights
        var batches = try BatchMaker(data, recipe, parent.configuration, seed: seed)
        var optimizer = AdamW(AdamW.Options(weightDecay: 0))
        let (stage, schedule) = (recipe.stages[recipe.stages.count - 1], Schedule(decay: .cosine))
        let pass = try TuningPass(parent.configuration, teacher: parent.weights)
        let mask = WeightMask(nonzerosOf: weights, paths: parent.packed)
        for step in 0..<plan.steps {
            let batch = try batches.next(stage).batch.parts(of: recipe.atOnce ?? Self.atOnce)
            let (loss, gradients) = try pass(batch, weights.narrowed(paths, to: plan.precision))
            optimizer.step(
                &weights, gradients: gradients,
                learningRate: plan.learningRate * schedule.factor(step: step, of: plan.steps))
            mask.apply(to: &weights)
            do {
                try Divergence.check(loss: loss, terms: [:], gradients: gradients)
                try Divergence.check(weights, at: gradients.keys)
            } catch {
                throw TrainingError.diverged(step: step, error.what, state: nil)
            }
            report(step + 1, loss)
        }
        return weights
    }
}

/// How far a narrow model's embeddings of a batch are from its teacher's, and where its weights should go.
package struct TuningPass {
    private let configuration: ModelConfiguration
    private let teacher: Distillation

    /// Throws `WeightsError` or `EncoderError`.
    package init(_ configuration: ModelConfiguration, teacher: Weights) throws {
        self.configuration = configuration
        self.teacher = try Distillation(configuration, teacher, weight: 1)
    }

    /// The mean of 1 - cosine over the batch, and its gradients by path; with respect to weights that are narrow those at what they
    /// stand for. Throws `WeightsError` or `EncoderError`.
    ///
    /// - Parameter batch: its parts, each of which is on a tape of its own.
    package func callAsFunction(
        _ batch: [TrainingBatch], _ narrow: Weights
    ) throws -> (loss: Float, gradients: [String: Tensor]) {
        let system = try configuration.makeSystem(ParameterScope(narrow, mode: .tuning))
        let total = batch.reduce(0) { $0 + $1.rows.count }
        var (sum, found): (Float, [String: Tensor]) = (0, [:])
        for part in batch {
            let share = Float(part.rows.count) / Float(total)
            let loss = try teacher.term(part.embed(system), part).scaled(by: share)
            sum += loss.scalar
            found.merge(gradients(of: loss)) { $0 + $1 }
        }
        return (sum, found)
    }
}
