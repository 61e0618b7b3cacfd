import Documents
import Inference

extension Recipe.Stage {
    /// Reads an element of `stages`. Throws `DocumentError`.
    init(_ fields: Fields, system: ModelConfiguration.System) throws(DocumentError) {
        var section = fields
        name = try section.string("name") ?? section.path
        if let epochs = try section.integer("epochs", 1...1_000_000), !section.has("steps") {
            length = .epochs(epochs)
        } else {
            length = .steps(try section.require("steps", .integer(1...1_000_000_000)))
        }
        learningRate = Float(try section.require("learning_rate", .number(0...10)))
        textShare = 0
        if case .dmf = system { textShare = Float(try section.number("texts", 0...1) ?? 0) }
        optimizer = try OptimizerOptions(&section)
        frozen = try section.strings("freeze") ?? []
        var schedule = try section.section("schedule")
        self.schedule = Schedule(
            decay: try schedule.read("decay", .choice) ?? .constant,
            warmup: try schedule.integer("warmup", 0...1_000_000) ?? 0,
            cooldown: try schedule.number("cooldown", 0...1) ?? 0)
        try schedule.finish()
        var loss = try section.section("loss")
        objective = try Objective(&loss, for: system)
        try loss.finish()
        try section.finish()
    }
}

extension OptimizerOptions {
    private enum Kind: String, CaseIterable {
        case adamW = "adamw"
        case sgd
    }

    /// Reads a stage's `optimizer`, `weight_decay` and, for SGD, `momentum`.
    fileprivate init(_ section: inout Fields) throws(DocumentError) {
        let kind = try section.read("optimizer", FieldKind<Kind>.choice) ?? .adamW
        let decay = Float(try section.number("weight_decay", 0...1) ?? 0.01)
        switch kind {
        case .adamW: self = .adamW(AdamW.Options(weightDecay: decay))
        case .sgd:
            self = .sgd(
                SGD.Options(weightDecay: decay, momentum: Float(try section.number("momentum", 0...1) ?? 0.9)))
        }
    }
}
