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

    /// Soft-margin triplet loss with the hardest positive and the hardest negative of each anchor in the batch, the mean of
    /// log(1 + exp(d(a,p) - d(a,n) + margin)) (Hermans et al., 2017; UniCat, eq. 2; DMF, eq. 1).
    ///
    /// - Parameters:
    ///   - features: [B, D].
    ///   - labels: the identity of each row; of one alone there are no negatives, and the loss is 0.
    ///   - margin: added to the difference.
    ///   - isSquared: compares squared distances.
    public static func batchHardTriplet(
        _ features: Tensor, labels: [Int], margin: Float, isSquared: Bool
    ) -> Tensor {
        guard Set(labels).count > 1 else { return Tensor(0) }
        let (positives, negatives) = hardest(features, labels)
        let distance = { (indices: [Int]) in
            let squared = squaredDistances(features, features.rows(at: indices))
            return isSquared ? squared : squared.squareRoot(clampedTo: 1e-12)
        }
        return (distance(positives) - distance(negatives)).adding(margin).softplus().mean()
    }

    /// The farthest row of the same label and the nearest of another, for each row.
    private static func hardest(_ features: Tensor, _ labels: [Int]) -> (positives: [Int], negatives: [Int]) {
        let (count, fixed) = (labels.count, features.detached)
        let products = fixed.matmul(fixed, transposingSecond: true).scalars
        let norms = (0..<count).map { products[$0 * count + $0] }
        let distance = { (a: Int, b: Int) in norms[a] + norms[b] - 2 * products[a * count + b] }
        let pairs = (0..<count).map { anchor in
            let same = (0..<count).filter { labels[$0] == labels[anchor] }
            let others = (0..<count).filter { labels[$0] != labels[anchor] }
            return (
                same.max { distance(anchor, $0) < distance(anchor, $1) } ?? anchor,
                others.min { distance(anchor, $0) < distance(anchor, $1) } ?? anchor
            )
        }
        return (pairs.map(\.0), pairs.map(\.1))
    }

    /// The mean over identities of the largest |margin - d(c_j, c_k)| between the modalities' centers, a center being the
    /// mean of an identity's L2-normalised features in one modality (3M; IEEE, eq. 6). Of identities that are there in two
    /// modalities or more; 0 if none is.
    ///
    /// - Parameters:
    ///   - features: [rows, D] of each modality, and the identity of each row.
    ///   - margin: the distance that the modalities' centers should keep.
    public static func multiModalMargin(_ features: [(rows: Tensor, labels: [Int])], margin: Float) -> Tensor {
        let units = features.map { (rows: $0.rows.normalizedRows(), labels: $0.labels) }
        let identities = Set(features.flatMap(\.labels)).sorted()
        let largest = identities.compactMap { identity -> Tensor? in
            let centers = units.compactMap { unit -> Tensor? in
                let rows = unit.labels.indices.filter { unit.labels[$0] == identity }
                return rows.isEmpty ? nil : unit.rows.rows(at: rows).mean(axis: 0)
            }
            let gaps = centers.indices.flatMap { a in
                centers.indices.dropFirst(a + 1).map { b in
                    let distance = (centers[a] - centers[b]).squared().sum().squareRoot(clampedTo: 1e-12)
                    let gap = distance.scaled(by: -1).adding(margin)
                    return gap.scalar < 0 ? gap.scaled(by: -1) : gap
                }
            }
            return gaps.max { $0.scalar < $1.scalar }
        }
        return largest.isEmpty ? Tensor(0) : sum(largest).scaled(by: 1 / Float(largest.count))
    }

    /// The mean squared cosine between the rows of two [B, D] matrices (MixER, L_o).
    public static func orthogonality(_ a: Tensor, _ b: Tensor) -> Tensor {
        (a.normalizedRows() * b.normalizedRows()).sum(axis: 1).squared().mean()
    }

    /// The sum of scalars, at least one.
    static func sum(_ scalars: [Tensor]) -> Tensor { scalars.dropFirst().reduce(scalars[0], +) }
}
