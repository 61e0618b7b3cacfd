import Inference
import Tensor

/// t·triplet loss + w·cross-entropy, summed over the heads: UniCat's (eq. 1) on each modality, Fusion-*'s on the fused
/// feature, DMF's on squared distances.
public struct IdentityObjective: Sendable, Equatable {
    /// t; 1 in the papers.
    public var triplet: Float
    /// w.
    public var crossEntropy: Float
    /// α of the triplet loss.
    public var margin: Float
    /// Of the cross-entropy's targets.
    public var labelSmoothing: Float
    /// Whether the triplet loss compares squared distances (DMF, eq. 1) instead of distances (UniCat, eq. 2).
    public var isSquared: Bool

    /// Makes an objective.
    public init(
        triplet: Float = 1, crossEntropy: Float = 1, margin: Float = 0, labelSmoothing: Float = 0,
        isSquared: Bool = false
    ) {
        self.triplet = triplet
        self.crossEntropy = crossEntropy
        self.margin = margin
        self.labelSmoothing = labelSmoothing
        self.isSquared = isSquared
    }

    func callAsFunction(_ output: SystemOutput, _ batch: Objective.Batch) -> Objective.Value {
        let triplets = output.heads.map {
            Losses.batchHardTriplet($0.features, labels: batch.labels(of: $0), margin: margin, isSquared: isSquared)
        }
        let entropies = output.heads.map {
            Losses.crossEntropy($0.logits[0], labels: batch.labels(of: $0), smoothing: labelSmoothing)
        }
        return Objective.Value([
            ("triplet", Losses.sum(triplets), triplet), ("cross_entropy", Losses.sum(entropies), crossEntropy),
        ])
    }
}

/// The cross-entropies of every part and modality, and δ times the multi-modal margin (3M) loss (IEEE, eq. 6 to 8).
public struct IEEEObjective: Sendable, Equatable {
    /// δ; 0 switches 3M off.
    public var margin: Float
    /// The margin itself.
    public var distance: Float
    /// Of the cross-entropies' targets.
    public var labelSmoothing: Float

    /// Makes an objective.
    public init(margin: Float = 1, distance: Float = 1, labelSmoothing: Float = 0) {
        self.margin = margin
        self.distance = distance
        self.labelSmoothing = labelSmoothing
    }

    func callAsFunction(_ output: SystemOutput, _ batch: Objective.Batch) -> Objective.Value {
        let entropies = output.heads.flatMap { head in
            head.logits.map { Losses.crossEntropy($0, labels: batch.labels(of: head), smoothing: labelSmoothing) }
        }
        let margins = Losses.multiModalMargin(
            output.heads.map { ($0.features, batch.labels(of: $0)) }, margin: distance)
        return Objective.Value([("cross_entropy", Losses.sum(entropies), 1), ("multi_modal_margin", margins, margin)])
    }
}
