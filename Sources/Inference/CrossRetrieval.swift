import Documents

/// How a pruned model's queries find identities among its parent's vectors, beside the parent's own queries: what becomes of a
/// gallery whose vectors stay when the model is exchanged. It is the cross-test of backward compatibility (Shen et al., 2020,
/// "Towards Backward-Compatible Representation Learning"), on identities that neither model has learned from.
public struct CrossRetrieval: Sendable, Codable, Equatable {
    /// A figure, and the interval that it is in with 95 % confidence, as identities are drawn at random.
    public struct Estimate: Sendable, Codable, Equatable {
        /// As measured.
        public var value: Double
        /// The ends of the interval.
        public var low: Double, high: Double

        /// A figure with its interval.
        public init(value: Double, low: Double, high: Double) { (self.value, self.low, self.high) = (value, low, high) }
    }

    /// What both models are asked to be for one to take over the other's vectors.
    public struct Demand: Sendable, Equatable {
        /// The least agreement, at the lower end of its interval.
        public var agreement = 0.9
        /// The largest loss of mAP, at the upper end of its interval.
        public var mAPLoss = 0.02

        /// The defaults.
        public init() {}
    }

    /// Queries that were ranked, and identities among them: these are what is drawn at random.
    public var queries: Int, identities: Int
    /// The share of the queries whose first match among the parent's vectors is of the same identity as the parent's own.
    public var agreement: Estimate
    /// The parent's mAP less that of the model's queries among the parent's vectors.
    public var mAPLoss: Estimate

    private enum CodingKeys: String, CodingKey {
        case queries, identities, agreement
        case mAPLoss = "mAP_loss"
    }

    /// Figures as measured.
    public init(queries: Int, identities: Int, agreement: Estimate, mAPLoss: Estimate) {
        (self.queries, self.identities) = (queries, identities)
        (self.agreement, self.mAPLoss) = (agreement, mAPLoss)
    }

    /// What a document says; nil if it is not all there.
    init?(_ document: JSONValue?) {
        guard let document, let queries = document["queries"]?.integer,
            let identities = document["identities"]?.integer,
            let agreement = Estimate(document["agreement"]), let loss = Estimate(document["mAP_loss"])
        else { return nil }
        self.init(queries: queries, identities: identities, agreement: agreement, mAPLoss: loss)
    }

    /// What of a demand is not met, in words; nil if all of it is.
    public func objection(to demand: Demand) -> String? {
        var objections: [String] = []
        if !(agreement.low >= demand.agreement) {
            objections.append(
                "the first match is the same for \(agreement.text) of the queries, expected at least \(demand.agreement)"
            )
        }
        if !(mAPLoss.high <= demand.mAPLoss) {
            objections.append("mAP falls by \(mAPLoss.text), expected at most \(demand.mAPLoss)")
        }
        return objections.isEmpty
            ? nil : objections.joined(separator: "; ") + " (\(queries) queries of \(identities) identities)"
    }
}

extension CrossRetrieval.Estimate {
    fileprivate init?(_ document: JSONValue?) {
        guard let value = document?["value"]?.number, let low = document?["low"]?.number,
            let high = document?["high"]?.number
        else { return nil }
        self.init(value: value, low: low, high: high)
    }

    /// With three digits.
    fileprivate var text: String {
        let digits = { (value: Double) in "\((value * 1000).rounded() / 1000)" }
        return "\(digits(value)) (\(digits(low)) to \(digits(high)))"
    }
}
