import Documents
import Inference
import Randomness

/// How often modalities are lost in training, so that a model learns to do without them.
public struct ModalityDropout: Sendable, Equatable {
    /// What loses modalities together.
    public enum Unit: String, CaseIterable, Sendable {
        /// All triples of a batch lose the same.
        case batch
        /// Each triple loses its own.
        case triple
    }

    /// Of batches or triples that lose one or more of their modalities, but not all.
    public var share: Float
    /// See ``Unit``.
    public var unit: Unit

    /// Reads a recipe's `modality_dropout`: a share of batches, or an object. Throws `DocumentError`.
    init(_ root: inout Fields, _ model: ModelConfiguration) throws(DocumentError) {
        let value = root.value("modality_dropout")
        if value?.object != nil {
            var section = try root.section("modality_dropout")
            share = Float(try section.require("share", .number(0...1)))
            unit = try section.read("by", .choice) ?? .triple
            try section.finish()
        } else {
            (share, unit) = (Float(try root.number("modality_dropout", 0...1) ?? 0), .batch)
        }
        if share > 0, model.modalities.count < 2 {
            throw root.invalid("modality_dropout", "0 for a model of one modality", value)
        }
    }

    /// The places of the modalities that are left, each set of some but not all of `count` as likely; nil for all.
    func draw(_ count: Int, _ generator: inout SplitMix64) -> [Int]? {
        guard generator.chance(share) else { return nil }
        let bits = 1 + generator.index(below: (1 << count) - 2)
        return (0..<count).filter { bits & 1 << $0 != 0 }
    }
}
