/// What is pruned, how much, and how the model recovers.
public struct PruningPlan: Sendable, Equatable, Codable {
    /// What a weight is worth.
    public enum Method: String, CaseIterable, Codable, Sendable {
        /// Its absolute value.
        case magnitude
        /// |weight · gradient|, the first-order estimate of how much the loss changes without it (Molchanov et al.,
        /// 2017), averaged over calibration batches.
        case taylor
    }

    /// What is removed.
    public enum Structure: String, CaseIterable, Codable, Sendable {
        /// Single weights, which become zero: the file shrinks, the arithmetic stays.
        case weights
        /// Attention heads and hidden neurons, or channels inside residual blocks: file and arithmetic shrink.
        case units
    }

    /// Among whom the least important are sought.
    public enum Scope: String, CaseIterable, Codable, Sendable {
        /// Each layer loses the same share.
        case layer
        /// All layers compete; for units, those of a kind.
        case global
    }

    /// See ``Method``.
    public var method: Method
    /// See ``Structure``.
    public var structure: Structure
    /// See ``Scope``.
    public var scope: Scope
    /// Shares to remove, rising: each is reached from the model fine-tuned at the one before.
    public var targets: [Double]
    /// Fine-tuning steps after each target.
    public var steps: Int
    /// Batches that Taylor importance is averaged over.
    public var calibration: Int
    /// Weight of 1 - cosine between the model's and its unpruned parent's embeddings in fine-tuning; 0 for none.
    public var distillation: Float

    /// A plan. Throws `PruningError.invalid`.
    public init(
        method: Method = .magnitude, structure: Structure = .weights, scope: Scope = .layer, targets: [Double],
        steps: Int, calibration: Int = 8, distillation: Float = 0
    ) throws(PruningError) {
        (self.method, self.structure, self.scope) = (method, structure, scope)
        (self.targets, self.steps, self.calibration, self.distillation) = (targets, steps, calibration, distillation)
        let text = targets.map { "\($0)" }.joined(separator: ",")
        let isRising = zip(targets, targets.dropFirst()).allSatisfy { $0 < $1 }
        guard !targets.isEmpty, targets.allSatisfy({ $0 > 0 && $0 < 1 }), isRising else {
            throw .invalid(field: "targets", expected: "rising shares between 0 and 1", found: "\"\(text)\"")
        }
        guard steps >= 0 else { throw .invalid(field: "steps", expected: "0 or more", found: "\(steps)") }
        guard calibration > 0 else {
            throw .invalid(field: "calibration", expected: "1 batch or more", found: "\(calibration)")
        }
        guard distillation >= 0, distillation.isFinite else {
            throw .invalid(field: "distillation", expected: "0 or more", found: "\(distillation)")
        }
    }
}

/// Why a model cannot be pruned.
public enum PruningError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A value of the plan that makes no sense.
    case invalid(field: String, expected: String, found: String)
    /// A recipe of another system than the checkpoint's.
    case otherSystem(expected: String, found: String)
    /// A data set in which nothing can be ranked.
    case nothingToRank(String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .invalid(let field, let expected, let found): "\(field): expected \(expected), found \(found)"
        case .otherSystem(let expected, let found):
            "the recipe's system: expected the checkpoint's, \(expected), found \(found)"
        case .nothingToRank(let path):
            "\(path): expected query and gallery splits, or held-out identities (the recipe's validation.identities), "
                + "found neither"
        }
    }
}
