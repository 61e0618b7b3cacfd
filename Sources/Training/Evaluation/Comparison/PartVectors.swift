import Inference
import Tensor

/// What a model makes of items that have the same modalities: a vector for each of these, of which any set makes one.
struct PartVectors: Sendable {
    /// How the system combines them.
    let combination: Combination
    /// [items, elements] each, in the model's order; of no modality is what was given as a whole, a text's vector for one.
    let parts: [(modality: Modality?, rows: Tensor)]

    /// Items.
    var count: Int { parts.first?.rows.shape[0] ?? 0 }

    private var modalities: Set<Modality> { Set(parts.compactMap(\.modality)) }

    /// The vectors by which two sides are compared, [items, D] each: the combinations of what both have. Where they share nothing,
    /// sums lie in one space and all of each side is compared; blocks cannot be (`Tests/Reference/comparison.py`).
    static func compared(_ queries: PartVectors, _ gallery: PartVectors) -> (queries: Tensor, gallery: Tensor)? {
        guard areComparable(queries, gallery) else { return nil }
        let shared = queries.modalities.intersection(gallery.modalities)
        return (queries.combined(shared), gallery.combined(shared))
    }

    static func areComparable(_ queries: PartVectors, _ gallery: PartVectors) -> Bool {
        queries.combination == .sum || !queries.modalities.isDisjoint(with: gallery.modalities)
    }

    /// Of the shared modalities, or of all where none is.
    private func combined(_ shared: Set<Modality>) -> Tensor {
        let chosen = parts.filter { shared.isEmpty || $0.modality.map(shared.contains) ?? false }.map(\.rows)
        if chosen.count == 1 { return chosen[0] }
        return combination == .sum ? Tensor.mean(of: chosen) : Tensor.concatenated(chosen, axis: 1)
    }

    /// Some of the items.
    func rows(at indices: [Int]) -> PartVectors {
        PartVectors(combination: combination, parts: parts.map { ($0.modality, $0.rows.rows(at: indices)) })
    }
}
