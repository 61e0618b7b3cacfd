import Documents
import Foundation
import Inference
import Tensor

/// How a model is trained: everything but the data, the seed and where to start.
public struct Recipe: Sendable {
    /// Part of the training with an optimiser and a schedule of its own.
    public struct Stage: Sendable, Equatable {
        /// For the log.
        public var name: String
        /// How long.
        public var length: TrainingLength
        /// Before the schedule.
        public var learningRate: Float
        /// The share of batches that are texts; DMF's.
        public var textShare: Float
        /// Of the optimiser.
        public var optimizer: OptimizerOptions
        /// Of the learning rate.
        public var schedule: ScheduleOptions
        /// Path prefixes that stay as they are.
        public var frozen: [String]
        /// What is minimised.
        public var objective: Objective
    }

    /// What is trained; its `identities` come from the data.
    public var model: ModelConfiguration
    /// P: identities a batch.
    public var identities: Int
    /// K: sightings an identity in a batch.
    public var sightings: Int
    /// Positives an anchor.
    public var positives: Int
    /// Changes to images.
    public var augmentation: Augmentation
    /// Share of the training identities that is held out for validation.
    public var validationShare: Double
    /// Between validations, counted through all stages in steps, and in each stage in epochs; 0 validates at the ends of
    /// stages only.
    public var validationInterval: TrainingLength
    /// In order.
    public var stages: [Stage]
    /// The YAML that says all this, settings included.
    public let yaml: String

    /// Whether any stage draws batches of texts.
    public var readsTexts: Bool { stages.contains { $0.textShare > 0 } }

    /// The dropout of the model's fusion layers.
    public var dropout: Float {
        if case .graft(let head) = model.system { head.dropout } else { 0 }
    }
}

extension Recipe {
    /// Reads a recipe from a YAML file, changed by settings `key.path=value`. Throws `RecipeError`, or
    /// `DocumentError` for a value that is refused.
    public init(path: String, settings: [String] = []) throws {
        let yaml: String
        do {
            yaml = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw RecipeError.unreadable(path: path, reason: error.localizedDescription)
        }
        try self.init(yaml: yaml, path: path, settings: settings)
    }

    /// Reads a recipe from YAML; `path` names it in errors.
    public init(yaml: String, path: String = "recipe", settings: [String] = []) throws {
        var document = try RecipeDocument(yaml: yaml, path: path)
        for setting in settings { try document.set(setting) }
        self.yaml = settings.isEmpty ? yaml : try document.yaml()
        var root = try Fields(document.root)
        model = try Self.model(&root)
        var batch = try root.section("batch")
        identities = try batch.require("identities", .integer(2...4096))
        sightings = try batch.require("sightings", .integer(2...256))
        try batch.finish()
        positives = try root.integer("positives", 1...256) ?? 8
        augmentation = try Self.augmentation(&root)
        var validation = try root.section("validation")
        validationShare = try validation.number("identities", 0...0.9) ?? 0.1
        validationInterval = try validation.read("every", .length) ?? 0
        try validation.finish()
        stages = try Self.stages(&root, model.system)
        try root.finish()
    }

    private static func model(_ root: inout Fields) throws -> ModelConfiguration {
        var document = try root.requireObject("model").members
        document["format"] = document["format"] ?? .integer(ModelConfiguration.format)
        // Without a vocabulary it is the words of the training texts; the padding keeps the place of the first.
        if case .object(var head)? = document["head"], case .object(var text)? = head["text"] {
            text["vocabulary"] = text["vocabulary"] ?? .array([.string(TrainingTexts.padding)])
            head["text"] = .object(text)
            document["head"] = .object(head)
        }
        // The recipe's own switch for dropout comes before the head's value.
        if let dropout = root.value("dropout"), case .object(var head)? = document["head"] {
            head["dropout"] = dropout
            document["head"] = .object(head)
        }
        var fields = Fields(members: document, path: "model")
        return try ModelConfiguration(&fields)
    }

    private static func augmentation(_ root: inout Fields) throws -> Augmentation {
        if root.value("augment")?.string == "none" { return .none }
        var section = try root.section("augment")
        let result = Augmentation(
            flip: Float(try section.number("flip", 0...1) ?? 0.5),
            erase: Float(try section.number("erase", 0...1) ?? 0.5), shift: try section.integer("shift", 0...64) ?? 0)
        try section.finish()
        return result
    }

    private static func stages(
        _ root: inout Fields, _ system: ModelConfiguration.System
    ) throws -> [Stage] {
        guard let all = try root.objects("stages"), !all.isEmpty else {
            throw root.invalid("stages", "at least one stage", nil)
        }
        var stages: [Stage] = []
        for fields in all {
            let stage = try Stage(fields, system: system)
            // The log tells stages apart by their names.
            guard !stages.contains(where: { $0.name == stage.name }) else {
                throw fields.invalid("name", "a name of its own", .string(stage.name))
            }
            stages.append(stage)
        }
        return stages
    }
}
