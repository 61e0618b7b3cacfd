import Documents
import Foundation
import Inference

/// The `quantization` object of a narrow model's configuration: where it comes from, what stayed wider, and what was measured.
struct QuantizationProvenance {
    private var members: [String: JSONValue]
    /// The layers that stayed wider.
    let wider: [String]
    /// The name of the data set that was measured on.
    var data: String?

    init(
        _ plan: QuantizationPlan, _ parent: Checkpoint, wider: [String] = [], isBalanced: Bool = false,
        isTuned: Bool = false, calibration: Int = 0
    ) {
        self.wider = wider
        members = [
            "parent": .string(parent.digest), "plan": .string(plan.precision.rawValue),
            "wider": .array(wider.map(JSONValue.string)), "calibration": .integer(calibration),
        ]
        if isBalanced { members["balanced"] = .bool(true) }
        if isTuned {
            members["fine_tuning"] = .object([
                "steps": .integer(plan.steps), "learning_rate": .number(Double(plan.learningRate)),
            ])
        }
        if let budget = plan.budget {
            members["budget"] = .number(budget)
            members["budget_of"] = .string(plan.measure.rawValue)
        }
    }

    /// - Parameter measured: nil if there was nothing to measure on.
    func json(measured: PruningMeasurement.Figures?) throws -> JSONValue {
        var members = members
        if let data { members["data"] = .string(data) }
        if let measured { members.merge(try measured.members) { $1 } }
        return .object(members)
    }
}

extension PruningMeasurement.Figures {
    /// What provenance says of them: `embedding_space`, and the rest under `measured`.
    var members: [String: JSONValue] {
        get throws {
            [
                "embedding_space": try JSONValue(encoding: embeddingSpace),
                "measured": .object([
                    "size": try JSONValue(encoding: size),
                    "throughput": try JSONValue(encoding: throughput),
                    "metrics": try JSONValue(encoding: metrics),
                ]),
            ]
        }
    }
}

extension JSONValue {
    /// The form that a value has in JSON.
    fileprivate init(encoding value: some Encodable) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
    }
}
