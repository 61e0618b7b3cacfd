import Documents

/// What a recipe says of itself, for who chooses one. Nothing of it changes the training.
public struct RecipeCard: Sendable, Equatable, Encodable {
    /// What the paper reports, in percent.
    public struct Reported: Sendable, Equatable, Encodable {
        /// The table, and the row if the recipe is not the whole of it.
        public var source: String
        /// Mean average precision.
        public var mAP: Double?
        /// Rank-1.
        public var rank1: Double?

        /// Reads the section.
        fileprivate init(_ fields: inout Fields) throws(DocumentError) {
            source = try fields.require("source", .string)
            mAP = try fields.number("mAP", 0...100)
            rank1 = try fields.number("rank1", 0...100)
            try fields.finish()
        }

        /// In a line.
        public var text: String {
            let figures = [mAP.map { "mAP \($0)" }, rank1.map { "Rank-1 \($0)" }].compactMap { $0 }
            return (figures + [source]).joined(separator: ", ")
        }
    }

    /// In a line.
    public var about: String?
    /// The layout of its data set, as `--layout` names it.
    public var dataset: String?
    /// The weights to import before.
    public var pretrained: String?
    /// Options of `evaluate` that measure as the paper does.
    public var evaluate: String?
    /// The paper's figures, not ours.
    public var reported: Reported?
    /// The variants that have been laid over it, between colons.
    public var variant: String?

    /// Reads a recipe's keys. Throws `DocumentError`.
    init(_ root: inout Fields) throws(DocumentError) {
        about = try root.string("about")
        dataset = try root.string("dataset")
        pretrained = try root.string("pretrained")
        evaluate = try root.string("evaluate")
        if var section = try root.object("reported") { reported = try Reported(&section) }
        variant = try root.string("variant")
    }
}
