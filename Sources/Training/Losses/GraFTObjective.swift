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

    /// The loss and its unweighted terms.
    public struct Value: Sendable {
        /// The weighted sum.
        public let total: Tensor
        /// By name: `triplet`, `center`, `cross_entropy`.
        public let terms: [String: Float]
    }

    /// - Parameters:
    ///   - output: the training pass's.
    ///   - labels: the identity of each row.
    ///   - triples: [anchor, positive, negative] as indices into the batch.
    ///   - centers: [identities, D].
    public func callAsFunction(
        _ output: GraFT.Output, labels: [Int], triples: [[Int]], centers: Tensor
    ) -> Value {
        let fusion = output.tokens.fusion
        let triplet = tripletTerm(output.tokens, triples)
        let center = Losses.center(fusion, labels: labels, centers: centers)
        let entropy = Losses.crossEntropy(output.logits, labels: labels, smoothing: labelSmoothing)
        // A term without weight stays off the tape, as if it were not there.
        let weighted = [(triplet, self.triplet), (center, self.center), (entropy, crossEntropy)]
            .filter { $0.1 != 0 }.map { $0.0.scaled(by: $0.1) }
        return Value(
            total: weighted.dropFirst().reduce(weighted.first ?? Tensor(0), +),
            terms: ["triplet": triplet.scalar, "center": center.scalar, "cross_entropy": entropy.scalar])
    }

    private func tripletTerm(_ tokens: GraFT.Tokens, _ triples: [[Int]]) -> Tensor {
        let data = tokens.data.sliced(axis: 1, dataToken..<(dataToken + 1)).mean(axis: 1)
        let vectors = combination.rawValue.enumerated().map { role, kind in
            (kind == "F" ? tokens.fusion : data).rows(at: triples.map { $0[role] })
        }
        return Losses.augmentedTriplet(anchor: vectors[0], positive: vectors[1], negative: vectors[2])
    }
}
