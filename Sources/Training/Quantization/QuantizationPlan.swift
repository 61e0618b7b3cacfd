import Tensor

/// What becomes narrow, and how far the embeddings may move.
public struct QuantizationPlan: Sendable, Equatable {
    /// Of the weights, and of what they are multiplied with.
    public var precision: Precision
    /// The largest loss; nil for whatever comes. Layers that move embeddings most stay wider until it is kept.
    public var budget: Double?
    /// What the budget is of.
    public var measure: Measure
    /// Sightings that layers are measured on.
    public var calibration: Int
    /// Steps of fine-tuning before.
    public var steps: Int
    /// Of these, in the beginning.
    public var learningRate: Float

    /// What may be lost.
    public enum Measure: String, Sendable, CaseIterable {
        /// The mean of 1 - cosine to the parent's embeddings of the calibration sightings.
        case cosine
        /// mAP of the identities that the parent's training held out, every sighting against all others.
        case mAP
    }

    /// A plan. Throws `QuantizationError.invalid`.
    public init(
        precision: Precision, budget: Double? = nil, of measure: Measure = .cosine, calibration: Int = 32,
        steps: Int = 0, learningRate: Float = 1e-5
    ) throws(QuantizationError) {
        (self.precision, self.budget, self.calibration) = (precision, budget, calibration)
        (self.measure, self.steps, self.learningRate) = (measure, steps, learningRate)
        guard precision != .float32 else {
            throw .invalid(field: "precision", expected: "int8 or bf16", found: precision.rawValue)
        }
        if let budget, !(budget > 0 && budget < 1) {
            throw .invalid(field: "budget", expected: "a loss between 0 and 1", found: "\(budget)")
        }
        guard calibration > 0 else {
            throw .invalid(field: "calibration", expected: "1 sighting or more", found: "\(calibration)")
        }
        guard steps >= 0 else { throw .invalid(field: "steps", expected: "0 or more", found: "\(steps)") }
        guard learningRate > 0, learningRate <= 1 else {
            throw .invalid(field: "learning_rate", expected: "a rate above 0, at most 1", found: "\(learningRate)")
        }
    }

    /// What a layer that stays wider has.
    var wider: Precision { precision == .int8 ? .bfloat16 : .float32 }
}

/// Why a model cannot be quantised.
public enum QuantizationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A value of the plan that makes no sense.
    case invalid(field: String, expected: String, found: String)
    /// A model that is narrow already.
    case alreadyNarrow(path: String, precision: String)
    /// A budget without sightings to measure on, or fine-tuning without any to learn from.
    case nothingToMeasure
    /// Fine-tuning of a model whose file does not tell how it was trained.
    case noRecipe
    /// A budget of mAP for a model whose training, as its file tells it, held nobody out.
    case nobodyHeldOut
    /// A budget that is not kept with all layers wider.
    case budgetExceeded(budget: Double, found: Double)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .invalid(let field, let expected, let found): "\(field): expected \(expected), found \(found)"
        case .alreadyNarrow(let path, let precision):
            "expected a model of float32 weights, found \(path) in \(precision): quantise the model that it was made from"
        case .nothingToMeasure: "a budget, or fine-tuning: expected a data set, found none"
        case .noRecipe: "fine-tuning: expected the recipe of its training in the model's file, found none"
        case .nobodyHeldOut:
            "a budget of mAP: expected a model whose training held identities out (the recipe's validation.identities), "
                + "found none; a budget of cosine needs none"
        case .budgetExceeded(let budget, let found):
            "expected a loss of at most \(budget), found \(found) with every layer kept wider"
        }
    }
}
