import Inference
import Tensor

/// One target of a plan, put into effect on a run.
struct PruningRound {
    private let plan: PruningPlan
    /// What the parent's file held without zeros stays zero, also where units go.
    private let parentPacked: Set<String>
    /// Units of each layer in the beginning.
    private let wholes: [Int]
    private var mask: WeightMask?
    /// The share that was to go.
    private(set) var target = 0.0
    /// The share of weights or units that has gone.
    private(set) var removed = 0.0

    init(_ plan: PruningPlan, _ parent: Checkpoint, _ run: TrainingRun) {
        self.plan = plan
        parentPacked = parent.packed
        wholes = UnitLayer.layers(of: run.configuration).map(\.count)
        mask = run.state.mask
    }

    /// Prunes the best model so far, and has the run go on with the result.
    mutating func prune(_ run: inout TrainingRun, target: Double) throws {
        self.target = target
        switch plan.structure {
        case .weights: try pruneWeights(of: &run)
        case .units: try pruneUnits(of: &run)
        }
    }

    private mutating func pruneWeights(of run: inout TrainingRun) throws {
        let weights = run.best.weights
        let importance = try importance(&run, weights, run.configuration.prunableWeights(in: weights))
        let mask = WeightMask(importance, removing: target, scope: plan.scope, within: mask)
        (self.mask, removed) = (mask, mask.sparsity)
        run.continueWith(run.configuration, weights, mask: mask)
    }

    private mutating func pruneUnits(of run: inout TrainingRun) throws {
        var weights = run.best.weights
        let layers = UnitLayer.layers(of: run.configuration)
        let paths = Set(layers.flatMap { $0.networks.flatMap { $0.map(\.path) } })
        let importance = try importance(&run, weights, paths.sorted())
        let selection = UnitSelection(layers, importance, removing: target, scope: plan.scope, from: wholes)
        selection.apply(to: &weights)
        let left = selection.kept.reduce(0) { $0 + $1[0].count }
        removed = 1 - Double(left) / Double(max(wholes.reduce(0, +), 1))
        // The masks of tensors that have become smaller: the zeros of those before are still there.
        if !parentPacked.isEmpty { mask = WeightMask(nonzerosOf: weights, paths: parentPacked) }
        run.continueWith(selection.configuration(from: run.configuration), weights, mask: mask)
    }

    private func importance(
        _ run: inout TrainingRun, _ weights: Weights, _ paths: [String]
    ) throws -> Importance {
        switch plan.method {
        case .magnitude: return .magnitude(of: weights, paths: paths)
        case .taylor:
            run.continueWith(run.configuration, weights, mask: mask)
            return try .taylor(of: weights, paths: paths, batches: plan.calibration) {
                try run.calibrate(run.recipe.stages[0])
            }
        }
    }
}
