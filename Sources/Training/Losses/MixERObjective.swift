import Inference
import Tensor

/// MixER's: w_e·L_meid + w_r·L_mid + w_m·L_m + w_o·L_o + w_f·L_f. The rows of the output are the batch's images, a modality
/// after the other.
public struct MixERObjective: Sendable, Equatable {
    /// w_e, of the identities' cross-entropy on erased features; 1 in the paper.
    public var erased: Float
    /// w_r, of the cross-entropy of identities and modalities on related features; 1 in the paper.
    public var related: Float
    /// w_m, of the modality classifier behind the gradient reversal.
    public var modality: Float
    /// w_o, of the orthogonality of erased and related features.
    public var orthogonality: Float
    /// w_f, of the cross-entropy and triplet loss of what an embedding is made of.
    public var fused: Float

    /// Of the targets of identities' cross-entropies.
    public var labelSmoothing: Float

    /// Makes an objective.
    public init(
        erased: Float = 1, related: Float = 1, modality: Float = 0.4, orthogonality: Float = 0.6, fused: Float = 0.4,
        labelSmoothing: Float = 0
    ) {
        (self.erased, self.related) = (erased, related)
        self.labelSmoothing = labelSmoothing
        self.modality = modality
        self.orthogonality = orthogonality
        self.fused = fused
    }

    /// The branches that no weight leads to, by the beginnings of their paths, for embeddings made of some features.
    func unreached(_ embedding: ModelConfiguration.MixERHead.Features) -> [String] {
        let isErasedUsed = erased != 0 || modality != 0 || orthogonality != 0 || fused != 0 && embedding != .related
        let isRelatedUsed = related != 0 || orthogonality != 0 || fused != 0 && embedding != .erased
        return (isErasedUsed ? [] : ["erased."]) + (isRelatedUsed ? [] : ["related."])
    }

    func callAsFunction(_ output: SystemOutput, _ batch: Objective.Batch) -> Objective.Value {
        guard let modalityLogits = output.modalityLogits else { preconditionFailure("no adversary to learn from") }
        let (erased, related, both) = (output.head("erased"), output.head("related"), output.head("fused"))
        let (labels, modality) = (batch.labels(of: erased), output.places)
        let joint = zip(labels, modality).map { $0 * modalityLogits.shape[1] + $1 }
        let fusedLoss =
            Losses.crossEntropy(both.logits[0], labels: labels, smoothing: labelSmoothing)
            + Losses.batchHardTriplet(both.features, labels: labels, margin: 0, isSquared: false)
        return Objective.Value([
            ("erased", Losses.crossEntropy(erased.logits[0], labels: labels, smoothing: labelSmoothing), self.erased),
            ("related", Losses.crossEntropy(related.logits[0], labels: joint, smoothing: labelSmoothing), self.related),
            ("modality", Losses.crossEntropy(modalityLogits, labels: modality), self.modality),
            ("orthogonality", Losses.orthogonality(erased.features, related.features), orthogonality),
            ("fused", fusedLoss, fused),
        ])
    }
}
