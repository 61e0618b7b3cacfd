import Documents
import Foundation
import Inference

/// The `pruning` object of a pruned model's configuration: where it comes from, what went, and what was measured.
struct PruningProvenance {
    private let members: [String: JSONValue]

    init(
        _ plan: PruningPlan, _ parent: Checkpoint, _ recipe: Recipe, seed: UInt64, data: String, _ round: PruningRound
    ) {
        let reached = plan.targets.filter { $0 <= round.target }
        var members: [String: JSONValue] = [
            "parent": .string(parent.digest), "method": .string(plan.method.rawValue),
            "structure": .string(plan.structure.rawValue), "scope": .string(plan.scope.rawValue),
            "schedule": .array(reached.map { .object(["target": .number($0), "steps": .integer(plan.steps)]) }),
            "removed": .number(round.removed), "kept": .number(1 - round.removed),
            "recipe": .string(recipe.yaml), "data": .string(data), "seed": .integer(Int(truncatingIfNeeded: seed)),
        ]
        if plan.method == .taylor { members["calibration_batches"] = .integer(plan.calibration) }
        if plan.distillation > 0 { members["distillation"] = .number(Double(plan.distillation)) }
        // A parent may have been pruned itself.
        if let before = parent.configuration.pruning { members["before"] = before }
        self.members = members
    }

    /// - Parameters:
    ///   - best: the weights published: how many steps of fine-tuning they have seen, and how they did.
    ///   - measured: nil for a run that was stopped.
    func json(_ best: TrainingRun.Best, measured: PruningMeasurement.Figures?) throws -> JSONValue {
        var members = members
        members["steps"] = .integer(best.step)
        if let metrics = best.metrics {
            members["validation"] = .object(["mAP": .number(metrics.mAP), "rank1": .number(metrics.rank1)])
        }
        guard let measured else {
            members["interrupted"] = .bool(true)
            return .object(members)
        }
        return .object(members.merging(try measured.members) { $1 })
    }
}
