import Inference
import Tensor

/// What a model makes of items that have the same modalities: a vector for each of these, of which any set makes one; or a vector
/// for each set, where modalities give each other something.
package struct PartVectors: Sendable {
    /// How the system combines them.
    private let combination: Combination
    /// The model's that the items have, in its order; none of what was given as a whole, a text for one.
    private let modalities: [Modality]
    /// [items, elements], by modality or by set.
    private let rows: [Set<Modality>: Tensor]

    /// - Parameter rows: of each modality alone, or of each set of them that may be compared.
    package init(_ combination: Combination, _ modalities: [Modality], _ rows: [Set<Modality>: Tensor]) {
        (self.combination, self.modalities, self.rows) = (combination, modalities, rows)
    }

    /// Vectors that are compared as they are, with whatever lies in their space.
    init(whole: Tensor) { self.init(.sum, [], [[]: whole]) }

    /// The vectors by which two sides are compared, [items, D] each: the combinations of what both have. Where they share nothing,
    /// sums lie in one space and all of each side is compared; blocks cannot be (`Tests/Reference/comparison.py`).
    static func compared(_ queries: PartVectors, _ gallery: PartVectors) -> (queries: Tensor, gallery: Tensor)? {
        guard areComparable(queries, gallery) else { return nil }
        let shared = Set(queries.modalities).intersection(gallery.modalities)
        return (queries.combined(shared), gallery.combined(shared))
    }

    static func areComparable(_ queries: PartVectors, _ gallery: PartVectors) -> Bool {
        queries.combination == .sum || !Set(queries.modalities).isDisjoint(with: gallery.modalities)
    }

    /// Of the shared modalities, or of all where none is.
    private func combined(_ shared: Set<Modality>) -> Tensor {
        let set = shared.isEmpty ? Set(modalities) : shared
        if let known = rows[set] { return known }
        let parts = modalities.filter(set.contains).compactMap { rows[[$0]] }
        precondition(parts.count == set.count, "\(set.label) was not encoded")
        return combination == .sum ? Tensor.mean(of: parts) : Tensor.concatenated(parts, axis: 1)
    }
}
