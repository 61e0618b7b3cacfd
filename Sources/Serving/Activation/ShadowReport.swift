import Documents
import Foundation
import Gallery
import Inference

/// How two models see the same sightings.
package struct ShadowReport: Sendable {
    /// Sightings compared.
    package let count: Int
    /// The share of sightings whose nearest other is the same under both.
    package let top1: Double
    /// The mean share that the ten nearest others have in common.
    package let top10: Double
    /// Cosines of pairs of sightings, of one identity and of two, under each model.
    private let active: Scores
    private let candidate: Scores

    /// The cosines of all pairs, by whether they are of one identity.
    private struct Scores {
        var same: [Float] = []
        var different: [Float] = []

        var json: JSONValue {
            .object(["same_identity": Self.mean(same), "different_identity": Self.mean(different)])
        }

        private static func mean(_ values: [Float]) -> JSONValue {
            values.isEmpty ? .null : .number(Double(values.reduce(0, +)) / Double(values.count))
        }

        /// The score that a share of the pairs of two identities exceeds. Requires sorted scores.
        func threshold(falseMatchRate rate: Double) -> JSONValue {
            guard !different.isEmpty else { return .null }
            let index = min(different.count - 1, Int(Double(different.count) * (1 - rate)))
            return .number(Double(different[index]))
        }
    }

    /// - Parameters:
    ///   - active: a unit vector a sighting.
    ///   - candidate: the other model's, of any dimension.
    ///   - identities: whose each is.
    ///
    /// O(n²·dimension).
    package init(active: [[Float]], candidate: [[Float]], identities: [Int64]) {
        count = identities.count
        let cosines = [active, candidate].map(Self.cosines)
        var (first, shared) = (0, 0.0)
        for row in identities.indices {
            let nearest = cosines.map { Self.nearest($0[row], except: row) }
            if let one = nearest[0].first, one == nearest[1].first { first += 1 }
            shared += Double(Set(nearest[0]).intersection(nearest[1]).count) / Double(max(nearest[0].count, 1))
        }
        top1 = Double(first) / Double(max(count, 1))
        top10 = shared / Double(max(count, 1))
        let scores = cosines.map { Self.scores($0, identities) }
        (self.active, self.candidate) = (scores[0], scores[1])
    }

    private static func cosines(_ vectors: [[Float]]) -> [[Float]] {
        vectors.map { a in vectors.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
    }

    private static func nearest(_ cosines: [Float], except own: Int) -> [Int] {
        Array(cosines.indices.filter { $0 != own }.sorted { (-cosines[$0], $0) < (-cosines[$1], $1) }.prefix(10))
    }

    private static func scores(_ cosines: [[Float]], _ identities: [Int64]) -> Scores {
        var scores = Scores()
        for a in identities.indices {
            for b in identities.indices where b > a {
                if identities[a] == identities[b] {
                    scores.same.append(cosines[a][b])
                } else {
                    scores.different.append(cosines[a][b])
                }
            }
        }
        scores.different.sort()
        return scores
    }

    /// What a job's result says of how scores shift from a model to the one that was compared; nil if it was compared with another,
    /// or nothing was enrolled.
    static func shift(_ result: String?, from active: String) -> ThresholdShift? {
        guard let result, let json = try? JSONParser.parse(Data(result.utf8)), json["active"]?.string == active else {
            return nil
        }
        return ThresholdShift(
            (json["thresholds"]?.array ?? []).compactMap { entry in
                guard let active = entry["active"]?.number, let other = entry["candidate"]?.number else { return nil }
                return ThresholdShift.Point(active: Float(active), other: Float(other))
            })
    }

    /// For a job's result. The threshold of the candidate that lets as many false matches pass as one of the active
    /// model's is what to replace that by.
    package var json: [String: JSONValue] {
        [
            "sightings": .integer(count),
            "agreement": .object(["top_1": .number(top1), "top_10": .number(top10)]),
            "mean_scores": .object(["active": active.json, "candidate": candidate.json]),
            "thresholds": .array(
                [0.1, 0.01, 0.001].map { rate in
                    .object([
                        "false_match_rate": .number(rate), "active": active.threshold(falseMatchRate: rate),
                        "candidate": candidate.threshold(falseMatchRate: rate),
                    ])
                }),
        ]
    }
}
