import Documents
import Inference

extension Recipe.Stage {
    /// Reads an element of `stages`. Throws `DocumentError`.
    init(_ fields: Fields, _ model: ModelConfiguration) throws(DocumentError) {
        var section = fields
        name = try section.string("name") ?? section.path
        length = try Self.length(&section)
        learningRate = Float(try section.require("learning_rate", .number(0...10)))
        textShare = 0
        if case .dmf = model.system { textShare = Float(try section.number("texts", 0...1) ?? 0) }
        optimizer = try OptimizerOptions(&section)
        frozen = try section.strings("freeze") ?? []
        frozenFor = frozen.isEmpty ? nil : try section.read("freeze_for", .length)
        groups = try (section.objects("groups") ?? []).map { fields throws(DocumentError) in
            var fields = fields
            let group = ParameterGroup(
                try fields.require("match", .strings), rate: Float(try fields.number("rate", 0...1000) ?? 1),
                decay: Float(try fields.number("decay", 0...1000) ?? 1))
            try fields.finish()
            return group
        }
        clipNorm = try section.number("clip_norm", 1e-6...1e6).map { Float($0) }
        schedule = try ScheduleOptions(&section)
        var loss = try section.section("loss")
        objective = try Objective(&loss, for: model)
        try loss.finish()
        try section.finish()
        if textShare == 1, hasEpochs {
            throw section.invalid(
                "texts", "less than 1 where lengths are in epochs, passes over the images", .integer(1))
        }
    }

    private static func length(_ section: inout Fields) throws(DocumentError) -> TrainingLength {
        guard let epochs = try section.integer("epochs", 1...100_000) else {
            return .steps(try section.require("steps", .integer(1...1_000_000_000)))
        }
        if let steps = section.value("steps") {
            throw section.invalid("epochs", "none beside steps: take these away with steps=null", steps)
        }
        return .epochs(epochs)
    }

    /// How many passes over the images have to be known in advance.
    var passes: Int {
        ([length, schedule.warmup] + schedule.milestones).reduce(0) {
            if case .epochs(let count) = $1 { max($0, count) } else { $0 }
        }
    }

    private var hasEpochs: Bool { passes > 0 }
}

extension ScheduleOptions {
    /// Reads a stage's `schedule`.
    fileprivate init(_ section: inout Fields) throws(DocumentError) {
        var fields = try section.section("schedule")
        self.init(
            decay: try fields.read("decay", .choice) ?? .constant, warmup: try fields.read("warmup", .length) ?? 0,
            warmupStart: try fields.number("warmup_start", 0...1) ?? 0,
            cooldown: try fields.number("cooldown", 0...1) ?? 0)
        switch decay {
        case .cosine, .linear: minimum = try fields.number("minimum", 0...1) ?? 0
        case .polynomial:
            minimum = try fields.number("minimum", 0...1) ?? 0
            power = try fields.number("power", 0...100) ?? 1
        case .step:
            milestones = try fields.require("milestones", .list(of: "numbers of steps, or of epochs", .length))
            gamma = try fields.number("gamma", 0...1) ?? 0.1
        case .constant, .squareRoot: break
        }
        try fields.finish()
    }
}

extension FieldKind<TrainingLength> {
    /// Steps as a whole number, or epochs as in `5 epochs`.
    static var length: FieldKind {
        FieldKind("a whole number of steps, or of epochs such as \"5 epochs\"") { value in
            if let steps = value.integer { return (0...1_000_000_000).contains(steps) ? .steps(steps) : nil }
            guard let match = value.string?.wholeMatch(of: /(\d{1,5}) epochs?/), let epochs = Int(match.1), epochs > 0
            else { return nil }
            return .epochs(epochs)
        }
    }
}

extension OptimizerOptions {
    private enum Kind: String, CaseIterable {
        case adamW = "adamw"
        case adam
        case sgd
    }

    /// Reads a stage's `optimizer`, `weight_decay` and what is that optimiser's own.
    fileprivate init(_ section: inout Fields) throws(DocumentError) {
        let kind = try section.read("optimizer", FieldKind<Kind>.choice) ?? .adamW
        let decay = Float(try section.number("weight_decay", 0...1) ?? 0.01)
        switch kind {
        case .adamW, .adam:
            let betas = try section.read("betas", .list(of: "two numbers from 0 to 0.99999", .number(0...0.99999)))
            if let betas, betas.count != 2 {
                throw section.invalid("betas", "two numbers", section.value("betas"))
            }
            self = .adamW(
                AdamW.Options(
                    weightDecay: decay, betas: betas.map { (Float($0[0]), Float($0[1])) } ?? (0.9, 0.999),
                    epsilon: Float(try section.number("epsilon", 1e-16...1) ?? 1e-8), isDecoupled: kind == .adamW))
        case .sgd:
            self = .sgd(
                SGD.Options(
                    weightDecay: decay, momentum: Float(try section.number("momentum", 0...1) ?? 0.9),
                    isNesterov: try section.bool("nesterov") ?? false))
        }
    }
}
