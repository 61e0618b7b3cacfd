import Inference
import Tensor

/// Chooses what a model's layers become: with balanced channels or without, and which of them wider than the plan says.
struct NarrowLayers {
    let plan: QuantizationPlan
    /// The layers' weights.
    let paths: [String]
    let sensitivity: LayerSensitivity
    /// Whom a budget of mAP is measured on; nil for one of cosine.
    let held: HeldOutRanking?

    /// The weights with channels balanced, if the model moves less so when all its layers are narrow; only of int8, whose steps
    /// are as large as a row's largest number demands.
    func balanced(
        _ weights: Weights, _ report: (Quantizer.Event) -> Void
    ) throws -> (weights: Weights, isTaken: Bool) {
        guard plan.precision == .int8 else { return (weights, false) }
        let (balanced, layers) = ChannelBalance.balanced(weights)
        guard layers > 0 else { return (weights, false) }
        return try nearer(balanced, weights) { report(.balanced(layers: layers, distance: $0, without: $1)) }
    }

    /// The weights fine-tuned, if the model moves less so when all its layers are narrow. Throws what tuning throws.
    func tuned(
        _ weights: Weights, by tuning: NarrowTuning?, _ report: (Quantizer.Event) -> Void
    ) throws -> (weights: Weights, isTaken: Bool) {
        guard let tuning else { return (weights, false) }
        let tuned = try tuning.tuned(weights, paths, plan) { report(.tuning(step: $0, of: plan.steps, loss: $1)) }
        return try nearer(tuned, weights) { report(.tuned(distance: $0, without: $1)) }
    }

    /// Other weights, if the model moves less with them when all its layers are narrow.
    private func nearer(
        _ others: Weights, _ weights: Weights, _ report: (Double, Double) -> Void
    ) throws -> (weights: Weights, isTaken: Bool) {
        let distance = try sensitivity.distance(narrow(others)), without = try sensitivity.distance(narrow(weights))
        report(distance, without)
        return distance < without ? (others, true) : (weights, false)
    }

    private func narrow(_ weights: Weights) -> Weights { weights.narrowed(paths, to: plan.precision) }

    /// The weights narrow, but for layers that keep a wider precision: those that cost most by themselves first, until the budget
    /// is kept. Throws `QuantizationError.budgetExceeded`, or what encoding throws.
    func narrowed(
        _ whole: Weights, _ report: (Quantizer.Event) -> Void
    ) throws -> (weights: Weights, wider: [String]) {
        var weights = narrow(whole)
        var loss = try self.loss(weights, wider: 0, report)
        guard let budget = plan.budget, loss > budget else { return (weights, []) }
        var wider: [String] = []
        for path in try byCost(whole, report) {
            weights[path] = whole[path]
            weights.narrow([path], to: plan.wider)
            wider.append(path)
            loss = try self.loss(weights, wider: wider.count, report)
            if loss <= budget { return (weights, wider) }
        }
        throw QuantizationError.budgetExceeded(budget: budget, found: loss)
    }

    private func loss(_ weights: Weights, wider: Int, _ report: (Quantizer.Event) -> Void) throws -> Double {
        let loss = try held?.loss(weights) ?? sensitivity.distance(weights)
        report(.loss(loss, held == nil ? .cosine : .mAP, wider: wider))
        return loss
    }

    /// The paths, those first that move the embeddings most when they alone are narrow.
    private func byCost(_ whole: Weights, _ report: (Quantizer.Event) -> Void) throws -> [String] {
        var costs: [(path: String, distance: Double)] = []
        for (number, path) in paths.enumerated() {
            var alone = whole
            alone.narrow([path], to: plan.precision)
            costs.append((path, try sensitivity.distance(alone)))
            report(.layer(path, distance: costs[number].distance, number: number + 1, of: paths.count))
        }
        return costs.sorted { ($1.distance, $0.path) < ($0.distance, $1.path) }.map(\.path)
    }
}
