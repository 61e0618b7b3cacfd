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
        /// Patterns of the weights that stay as they are, see ``PathPattern``.
        public var frozen: [String]
        /// How long they do, from the stage's beginning; nil for all of it.
        public var frozenFor: TrainingLength?
        /// Weights that learn or decay otherwise.
        public var groups: [ParameterGroup]
        /// The norm that gradients are scaled down to; nil for as they are.
        public var clipNorm: Float?
        /// What is minimised.
        public var objective: Objective
    }

    /// What is trained; its `identities` come from the data.
    public var model: ModelConfiguration
    /// What a batch is.
    public var sampling: IdentitySampler.Sampling
    /// Triples that are encoded at a time; nil for the whole batch. Of backbones without batch norms the gradients are the same.
    public var atOnce: Int?
    /// Positives an anchor.
    public var positives: Int
    /// Changes to images.
    public var augmentation: Augmentation
    /// Which batches or triples lose modalities.
    public var modalityDropout: ModalityDropout
    /// How often a transformer's last block loses the result of a branch for a sample, the blocks before it less often
    /// (`DropPath`).
    public var dropPath: Float
    /// How classifiers are drawn.
    public var classifier: WeightInitialization.Classifier
    /// What stays of the weights' average a step (Polyak and Juditsky, 1992); nil for none. The average is what is ranked and
    /// published.
    public var averaging: Float?
    /// Who is held out, and when they are ranked.
    public var validation: ValidationOptions
    /// In order.
    public var stages: [Stage]
    /// What it says of itself.
    public let card: RecipeCard
    /// The YAML that says all this, composed and with settings.
    public let yaml: String

    /// Whether any stage draws batches of texts.
    public var readsTexts: Bool { stages.contains { $0.textShare > 0 } }

    /// The dropout of the model's fusion layers.
    public var dropout: Float {
        if case .graft(let head) = model.system { head.dropout } else { 0 }
    }
}

extension Recipe {
    /// Reads what a command takes as its recipe: a file, or the name of a built-in one, with variants behind colons, as in
    /// `graft-rgbnt100:table8-ddd`; changed by settings `key.path=value`.
    ///
    /// Throws `RecipeError`, or `DocumentError` for a value that is refused.
    public init(config: String, settings: [String] = []) throws {
        let (source, variants) = try RecipeSource.given(config)
        try self.init(RecipeComposition(source, variants: variants), settings: settings)
    }

    /// Reads a recipe from a YAML file. Throws as above.
    public init(path: String, settings: [String] = []) throws {
        try self.init(RecipeComposition(RecipeSource(path: path)), settings: settings)
    }

    /// Reads a recipe from YAML; `path` names it in errors. Throws as above.
    public init(yaml: String, path: String = "recipe", settings: [String] = []) throws {
        try self.init(RecipeComposition(RecipeSource(name: path, text: yaml)), settings: settings)
    }

    init(_ composition: RecipeComposition, settings: [String] = []) throws {
        var composition = composition
        for setting in settings { try composition.set(setting) }
        try composition.checkShadows(settings)
        do {
            try self.init(reading: composition)
        } catch let error as DocumentError {
            throw composition.located(error)
        }
    }

    private init(reading composition: RecipeComposition) throws {
        yaml = try composition.yaml()
        var root = try Fields(composition.root)
        card = try RecipeCard(&root)
        model = try Self.model(&root)
        (sampling, positives, atOnce) = try Self.batch(&root, model)
        augmentation = try Augmentation(&root)
        modalityDropout = try ModalityDropout(&root, model)
        dropPath = try Self.dropPath(&root, model)
        classifier = try root.read("classifier", .choice) ?? .narrow
        averaging = try root.number("ema", 0...0.999999).map { Float($0) }
        validation = try ValidationOptions(&root)
        stages = try Self.stages(&root, model)
        try root.finish()
    }

    private static func dropPath(_ root: inout Fields, _ model: ModelConfiguration) throws -> Float {
        guard let rate = try root.number("drop_path", 0...0.9), rate > 0 else { return 0 }
        guard case .vit(let vit) = model.backbone, vit.depth > 1 else {
            throw root.invalid(
                "drop_path", "0 for a backbone that is no transformer of 2 blocks or more", .number(rate))
        }
        return Float(rate)
    }

    private static func model(_ root: inout Fields) throws -> ModelConfiguration {
        var document = try root.requireObject("model").members
        document["format"] = document["format"] ?? .integer(ModelConfiguration.formats.upperBound)
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

    /// Reads `batch` and `positives`.
    private static func batch(
        _ root: inout Fields, _ model: ModelConfiguration
    ) throws -> (IdentitySampler.Sampling, positives: Int, atOnce: Int?) {
        var batch = try root.section("batch")
        let atOnce = try batch.integer("at_once", 1...1_000_000)
        var isGraFT = false
        if case .graft = model.system { isGraFT = true }
        if isGraFT, let triplets = try batch.integer("triplets", 1...4096) {
            try batch.finish()
            let positives = try root.integer("positives", 1...256) ?? 8
            return (.triplets(triplets, positives: positives), positives, atOnce)
        }
        let identities = try batch.require("identities", .integer(2...4096))
        let sightings = try batch.require("sightings", .integer(2...256))
        try batch.finish()
        // An anchor is no positive of its own.
        var positives = min(8, sightings - 1)
        if isGraFT, let given = try root.integer("positives", 1...256) {
            guard given < sightings else {
                throw root.invalid(
                    "positives", "at most \(sightings - 1), batch.sightings less the anchor", .integer(given))
            }
            positives = given
        }
        return (.groups(identities: identities, sightings: sightings), positives, atOnce)
    }

    private static func stages(
        _ root: inout Fields, _ model: ModelConfiguration
    ) throws -> [Stage] {
        guard let all = try root.objects("stages"), !all.isEmpty else {
            throw root.invalid("stages", "at least one stage", nil)
        }
        var stages: [Stage] = []
        for fields in all {
            let stage = try Stage(fields, model)
            // The log tells stages apart by their names.
            guard !stages.contains(where: { $0.name == stage.name }) else {
                throw fields.invalid("name", "a name of its own", .string(stage.name))
            }
            stages.append(stage)
        }
        return stages
    }
}
