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
        /// The modalities that the batch has, by their places among the model's; nil for all.
        public var modalities: [Int]?

        /// A batch as given.
        public init(labels: [Int], triples: [[Int]] = [], centers: Tensor? = nil, modalities: [Int]? = nil) {
            (self.labels, self.modalities) = (labels, modalities)
            self.triples = triples
            self.centers = centers
        }
    }

    /// The loss and its unweighted terms, by name.
    public struct Value: Sendable {
        /// The weighted sum.
        public let total: Tensor
        /// For the log.
        public let terms: [String: Float]

        /// The sum of terms with their weights. A term without weight stays off the tape, as if it were not there.
        init(_ terms: [(name: String, value: Tensor, weight: Float)]) {
            let weighted = terms.filter { $0.weight != 0 }
                .map { $0.weight == 1 ? $0.value : $0.value.scaled(by: $0.weight) }
            total = weighted.dropFirst().reduce(weighted.first ?? Tensor(0), +)
            self.terms = Dictionary(uniqueKeysWithValues: terms.map { ($0.name, $0.value.scalar) })
        }
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
