/// How a sighting's scores with several exemplars of one object make its own.
public enum ExemplarCombination: String, Codable, CaseIterable, Sendable {
    /// The largest.
    case best
    /// Their mean, over those exemplars that it can be compared with. For vectors of one length it ranks as the mean of the
    /// exemplars would, by which a passage is identified.
    case mean
}

/// How the scores of an identity's sightings make its own.
public enum IdentityScore: Equatable, Sendable {
    /// The largest.
    case best
    /// The mean of so many of the largest, 1–100; of all if there are fewer.
    case meanOfBest(Int)
    /// The mean of the largest of each camera; sightings without a camera count as one camera's.
    case perCamera
}

/// The mean of some scores: added as doubles in the order given, divided by their number, and rounded to float32.
///
/// Each of these steps rises with each score, rounded as it is, so of lower bounds it is one, and of upper bounds too; and it is
/// no more than the largest of them.
struct ScoreMean {
    private var sum = 0.0
    private(set) var count = 0

    init(_ scores: some Sequence<Float>) { for score in scores { add(score) } }

    mutating func add(_ score: Float) {
        sum += Double(score)
        count += 1
    }

    /// Of no scores it is no number.
    var value: Float { Float(sum / Double(count)) }
}

extension ExemplarCombination {
    /// A sighting's score, from those with the exemplars that it can be compared with, in their order; at least one.
    func combined(_ scores: [Float]) -> Float {
        self == .best ? scores.reduce(-.infinity, max) : ScoreMean(scores).value
    }
}
