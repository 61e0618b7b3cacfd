import Documents

/// Who is held out of training and ranked now and then, and what follows from how that goes. Never anyone of the query or gallery
/// splits.
public struct ValidationOptions: Sendable, Equatable {
    /// Who is held out.
    public enum HeldOut: Sendable, Equatable {
        /// A share of the train split's identities, drawn by the seed.
        case share(Double)
        /// Those that the data set itself sets apart.
        case listed
    }

    private enum Split: String, CaseIterable {
        case val
    }

    /// See ``HeldOut``.
    public var heldOut: HeldOut
    /// Between validations, counted through all stages in steps, and in each stage in epochs; 0 validates at the ends of
    /// stages only.
    public var interval: TrainingLength
    /// After how many validations in a row of which none is the best a stage ends; nil for none.
    public var patience: Int?

    /// Reads a recipe's `validation`. Throws `DocumentError`.
    init(_ root: inout Fields) throws(DocumentError) {
        var section = try root.section("validation")
        let share = try section.number("identities", 0...0.9)
        heldOut = .share(share ?? 0.1)
        if try section.read("split", FieldKind<Split>.choice) != nil {
            if let share { throw section.invalid("identities", "none beside split", .number(share)) }
            heldOut = .listed
        }
        interval = try section.read("every", .length) ?? 0
        patience = try section.integer("patience", 1...100_000)
        if let patience, heldOut == .share(0) || interval == .steps(0) {
            let missing = interval == .steps(0) ? "every" : "identities"
            throw section.invalid("patience", "none without \(missing), which is 0", .integer(patience))
        }
        try section.finish()
    }
}
