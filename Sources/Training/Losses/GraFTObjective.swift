import Inference
import Tensor

/// GraFT's objective α·triplet + β·center + γ·cross-entropy (GraFT, eq. 10).
public struct GraFTObjective: Sendable, Equatable {
    /// Which vectors anchor, positive and negative are: F a fusion vector, D a data vector (GraFT, Table 8).
    public enum Combination: String, CaseIterable, Codable, Sendable {
        case ffd = "FFD"
        case ddd = "DDD"
        case fff = "FFF"
        case fdd = "FDD"
        case dff = "DFF"
        case dfd = "DFD"
        case ddf = "DDF"
        case fdf = "FDF"
    }

    /// α.
    public var triplet: Float
    /// β.
    public var center: Float
    /// γ.
    public var crossEntropy: Float
    /// Of the cross-entropy's targets.
    public var labelSmoothing: Float
    /// FFD in the paper.
    public var combination: Combination
    /// Which data token stands for an image (GraFT, eq. 11); 0, the class token, in the released code.
    public var dataToken: Int

    /// Makes an objective.
    public init(
        triplet: Float = 0.5, center: Float = 0, crossEntropy: Float = 0.5, labelSmoothing: Float = 0,
        combination: Combination = .ffd, dataToken: Int = 0
    ) {
        self.triplet = triplet
        self.center = center
        self.crossEntropy = crossEntropy
        self.labelSmoothing = labelSmoothing
        self.combination = combination
        self.dataToken = dataToken
    }

    func callAsFunction(_ output: SystemOutput, _ batch: Objective.Batch) -> Objective.Value {
        guard let data = output.data, let centers = batch.centers else {
            preconditionFailure("GraFT's objective needs data tokens and centers")
        }
        let fused = output.head("fused")
        return Objective.Value([
            ("triplet", tripletTerm(fused.features, data, batch.triples), triplet),
            ("center", Losses.center(fused.features, labels: batch.labels, centers: centers), center),
            (
                "cross_entropy",
                Losses.crossEntropy(fused.logits[0], labels: batch.labels, smoothing: labelSmoothing), crossEntropy
            ),
        ])
    }

    private func tripletTerm(_ fusion: Tensor, _ tokens: Tensor, _ triples: [[Int]]) -> Tensor {
        let data = tokens.sliced(axis: 1, dataToken..<(dataToken + 1)).mean(axis: 1)
        let vectors = combination.rawValue.enumerated().map { role, kind in
            (kind == "F" ? fusion : data).rows(at: triples.map { $0[role] })
        }
        return Losses.augmentedTriplet(anchor: vectors[0], positive: vectors[1], negative: vectors[2])
    }
}
