import Inference
import Tensor

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
        let entropies = output.heads.flatMap(\.logits).map {
            Losses.crossEntropy($0, labels: batch.labels, smoothing: labelSmoothing)
        }
        let margins = Losses.multiModalMargin(
            output.heads.map(\.features), labels: batch.labels, margin: distance)
        return Objective.Value([("cross_entropy", Losses.sum(entropies), 1), ("multi_modal_margin", margins, margin)])
    }
}
