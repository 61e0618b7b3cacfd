import Tensor

/// The losses of the systems, as functions of tracked tensors; each returns a scalar.
public enum Losses {
    /// Squared Euclidean distances between the rows of two [N, D] matrices: [N].
    static func squaredDistances(_ a: Tensor, _ b: Tensor) -> Tensor { (a - b).squared().sum(axis: 1) }

    /// Soft-margin triplet loss on explicit triples, the mean of log(1 + exp(d(a,p)² - d(a,n)²)) (GraFT, eq. 8).
    ///
    /// - Parameters:
    ///   - anchor: [T, D], as are the others: fusion or data vectors, whichever the combination asks for.
    ///   - positive: of the anchor's identity.
    ///   - negative: of another identity.
    public static func augmentedTriplet(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor {
        (squaredDistances(anchor, positive) - squaredDistances(anchor, negative)).softplus().mean()
    }

    /// The sum over the batch of the distances to the identities' learned centers (GraFT, eq. 9).
    ///
    /// - Parameters:
    ///   - embeddings: [B, D].
    ///   - labels: the identity of each row.
    ///   - centers: [identities, D].
    public static func center(_ embeddings: Tensor, labels: [Int], centers: Tensor) -> Tensor {
        squaredDistances(embeddings, centers.rows(at: labels)).squareRoot(clampedTo: 1e-12).sum()
    }

    /// The mean cross-entropy of [B, C] logits; `smoothing` of the target's mass is spread over all classes (Szegedy et
    /// al., 2016).
    public static func crossEntropy(_ logits: Tensor, labels: [Int], smoothing: Float = 0) -> Tensor {
        let logProbabilities = logits.logSoftmax()
        let target = logProbabilities.picked(at: labels).mean().scaled(by: smoothing - 1)
        guard smoothing > 0 else { return target }
        return target - logProbabilities.mean().scaled(by: smoothing)
    }
}
