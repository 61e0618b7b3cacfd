import Charts
import Foundation

/// Losses and rates of a run over its steps, each as the means of some hundred stretches of equal length: a long run is shown by
/// as many points as a short one.
public struct TrainingCurves: Sendable, Encodable {
    /// A part of the recipe.
    public struct Stage: Sendable, Encodable, Equatable {
        /// As the recipe calls it.
        public let name: String
        /// Steps before it.
        public let start: Int

        package init(name: String, start: Int) { (self.name, self.start) = (name, start) }
    }

    /// What of a logged step is shown.
    private struct Step: Decodable {
        let step: Int
        let stage: String
        let terms: [String: Double]
        let loss: Double
        let rate: Double

        private enum CodingKeys: String, CodingKey {
            case step, stage, terms, loss
            case rate = "learning_rate"
        }
    }

    /// Sums over neighbouring steps.
    private struct Stretch {
        var count = 0.0
        var step = 0.0
        var values: [String: (sum: Double, count: Double)] = [:]

        mutating func add(_ other: Stretch) {
            (count, step) = (count + other.count, step + other.step)
            values.merge(other.values) { ($0.sum + $1.sum, $0.count + $1.count) }
        }
    }

    private static let most = 400
    private static let lossName = "loss"
    private static let rateName = "learning_rate"

    /// The weighted sum that is minimised, then its terms, unweighted.
    public let losses: [LineChart.Series]
    /// After the schedule.
    public let rate: LineChart.Series
    /// In order.
    public let stages: [Stage]
    /// How many are logged.
    public let steps: Int

    private enum CodingKeys: String, CodingKey {
        case losses, rate = "learning_rate", stages, steps
    }

    /// Reads a run folder's `steps.jsonl`, a line after the other, to its end or to where the steps are counted anew. Throws
    /// `DecodingError` for a line of another form.
    public init(run folder: URL) throws {
        var (stretches, size, stages, steps) = ([Stretch](), 1.0, [Stage](), 0)
        var log = LogFollower(folder.appendingPathComponent("steps.jsonl"))
        try log.forEach(as: Step.self) { step in
            // A pruning run's control begins anew: it is no part of what led to the model.
            guard step.step >= steps else { return }
            steps = step.step + 1
            if stages.last?.name != step.stage { stages.append(Stage(name: step.stage, start: step.step)) }
            Self.add(step, to: &stretches, of: &size)
        }
        (self.stages, self.steps) = (stages, steps)
        let terms = Set(stretches.flatMap(\.values.keys)).subtracting([Self.lossName, Self.rateName]).sorted()
        // One term is the loss itself, but for its weight.
        losses = ([Self.lossName] + (terms.count > 1 ? terms : [])).map { Self.series($0, stretches) }
        rate = Self.series(Self.rateName, stretches)
    }

    private static func add(_ step: Step, to stretches: inout [Stretch], of size: inout Double) {
        var single = Stretch(count: 1, step: Double(step.step + 1))
        single.values = step.terms.mapValues { ($0, 1) }
        single.values[lossName] = (step.loss, 1)
        single.values[rateName] = (step.rate, 1)
        if let last = stretches.last, last.count < size {
            stretches[stretches.count - 1].add(single)
        } else {
            stretches.append(single)
        }
        guard stretches.count > most else { return }
        stretches = stride(from: 0, to: stretches.count, by: 2).map { index in
            var pair = stretches[index]
            if index + 1 < stretches.count { pair.add(stretches[index + 1]) }
            return pair
        }
        size *= 2
    }

    private static func series(_ name: String, _ stretches: [Stretch]) -> LineChart.Series {
        LineChart.Series(
            name.replacing("_", with: " "),
            stretches.compactMap { stretch in
                stretch.values[name].map { LineChart.Point(stretch.step / stretch.count, $0.sum / $0.count) }
            })
    }
}
