import Documents
import Inference

extension Recipe.Stage {
    init(_ value: JSONValue, field: String, system: ModelConfiguration.System) throws {
        var section = try RecipeSection(value, field)
        name = section.value("name")?.string ?? field
        if section.value("epochs") != nil, section.value("steps") == nil {
            length = .epochs(try section.whole("epochs", 1...1_000_000))
        } else {
            length = .steps(try section.whole("steps", 1...1_000_000_000))
        }
        learningRate = Float(try section.number("learning_rate", 0...10))
        textShare = 0
        if case .dmf = system { textShare = Float(try section.number("texts", 0...1, default: 0)) }
        optimizer = try OptimizerOptions(&section)
        frozen = try section.strings("freeze")
        var schedule = try section.section("schedule")
        self.schedule = Schedule(
            decay: try schedule.choice("decay", default: .constant),
            warmup: try schedule.whole("warmup", 0...1_000_000, default: 0),
            cooldown: try schedule.number("cooldown", 0...1, default: 0))
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
    fileprivate init(_ section: inout RecipeSection) throws {
        let kind = try section.choice("optimizer", default: Kind.adamW)
        let decay = Float(try section.number("weight_decay", 0...1, default: 0.01))
        switch kind {
        case .adamW: self = .adamW(AdamW.Options(weightDecay: decay))
        case .sgd:
            self = .sgd(
                SGD.Options(weightDecay: decay, momentum: Float(try section.number("momentum", 0...1, default: 0.9))))
        }
    }
}
