import Inference
import Tensor

/// What is minimised: each system's own.
public enum Objective: Sendable, Equatable {
    case graft(GraFTObjective)
    case identity(IdentityObjective)
    case ieee(IEEEObjective)
    case mixer(MixERObjective)

    /// What a loss needs of a batch beside the system's output.
    public struct Batch: Sendable {
        /// The identity of each row.
        public var labels: [Int]
        /// [anchor, positive, negative] as indices into the batch; only GraFT's.
        public var triples: [[Int]]
        /// [identities, D]; only GraFT's.
        public var centers: Tensor?

        /// A batch as given.
        public init(labels: [Int], triples: [[Int]] = [], centers: Tensor? = nil) {
            self.labels = labels
            self.triples = triples
            self.centers = centers
        }

        /// The identity of each row of a head.
        func labels(of head: SystemOutput.Head) -> [Int] { head.rows.map { $0.map { labels[$0] } } ?? labels }
    }

    /// The loss and its unweighted terms, by name.
    public struct Value: Sendable {
        /// The weighted sum.
        public let total: Tensor
        private let parts: [(name: String, value: Tensor, weight: Float)]

        /// For the log.
        public var terms: [String: Float] {
            Dictionary(uniqueKeysWithValues: parts.map { ($0.name, $0.value.scalar) })
        }

        /// The sum of terms with their weights. A term without weight stays off the tape, as if it were not there.
        init(_ terms: [(name: String, value: Tensor, weight: Float)]) {
            let weighted = terms.filter { $0.weight != 0 }
                .map { $0.weight == 1 ? $0.value : $0.value.scaled(by: $0.weight) }
            total = weighted.dropFirst().reduce(weighted.first ?? Tensor(0), +)
            parts = terms
        }

        /// With another term, the last.
        func adding(_ name: String, _ value: Tensor, weight: Float) -> Value {
            Value(parts + [(name, value, weight)])
        }

        /// Off the tape.
        var detached: Value { Value(parts.map { ($0.name, $0.value.detached, $0.weight) }) }

        /// What values of the same terms come to, each term summed before it is weighted.
        init(sumOf values: [Value]) {
            let first = values.first?.parts ?? []
            self.init(
                first.enumerated().map { index, part in
                    (part.name, Losses.sum(values.map { $0.parts[index].value }), part.weight)
                })
        }
    }

    /// The beginnings of the paths that the loss of a model does not depend on, though the model runs them: like what is frozen they
    /// have no gradient, and so no decay, as in PyTorch.
    package func unreached(by configuration: ModelConfiguration) -> [String] {
        guard case .mixer(let objective) = self, case .mixer(let head) = configuration.system else { return [] }
        return objective.unreached(head.embedding)
    }

    /// The loss of a training pass.
    public func callAsFunction(_ output: SystemOutput, _ batch: Batch) -> Value {
        switch self {
        case .graft(let objective): objective(output, batch)
        case .identity(let objective): objective(output, batch)
        case .ieee(let objective): objective(output, batch)
        case .mixer(let objective): objective(output, batch)
        }
    }
}
