import Inference
import Tensor

/// One side of a ranking: items, and what each model makes of them.
public struct EncodedItems: Sendable {
    /// Items of which all have the same modalities.
    package struct Group: Sendable {
        /// Their indices, ascending.
        var members: [Int]
        /// What they were made from, named.
        let modalities: String
        /// A model's vectors; nil of a model that has none of the modalities.
        let models: [PartVectors?]

        package init(members: [Int], modalities: String, models: [PartVectors?]) {
            (self.members, self.modalities, self.models) = (members, modalities, models)
        }
    }

    /// Who and from where.
    public let items: [RetrievalMetrics.Item]
    /// For each item, which of those that were asked for it is.
    public let places: [Int]
    /// Items that were asked for and have nothing of what was asked for.
    public let leftOut: Int
    let groups: [Group]

    /// Items that are given as a vector each.
    ///
    /// - Parameters:
    ///   - vectors: [items, D], before L2 normalisation.
    ///   - name: what they were made from, as results call it.
    public init(items: [RetrievalMetrics.Item], vectors: Tensor, name: String) {
        self.init(
            items: items, places: Array(items.indices), leftOut: 0,
            groups: [Group(members: Array(items.indices), modalities: name, models: [PartVectors(whole: vectors)])])
    }

    package init(items: [RetrievalMetrics.Item], places: [Int], leftOut: Int, groups: [Group]) {
        (self.items, self.places, self.leftOut, self.groups) = (items, places, leftOut, groups)
    }

    static let none = EncodedItems(items: [], places: [], leftOut: 0, groups: [])

    /// The same, where to lack a modality is not to be left out.
    var withoutLeftOut: EncodedItems { EncodedItems(items: items, places: places, leftOut: 0, groups: groups) }

    /// Whether an item can be compared with one of others.
    package func isComparable(with others: EncodedItems) -> Bool {
        groups.contains { group in
            others.groups.contains { other in
                zip(group.models, other.models).contains { query, item in
                    query.flatMap { query in item.map { PartVectors.areComparable(query, $0) } } ?? false
                }
            }
        }
    }

    /// These, and then others of the same models.
    public func appending(_ others: EncodedItems) -> EncodedItems {
        let moved = others.groups.map { group in
            Group(
                members: group.members.map { $0 + items.count }, modalities: group.modalities, models: group.models)
        }
        return EncodedItems(
            items: items + others.items, places: places + others.places, leftOut: leftOut + others.leftOut,
            groups: groups + moved)
    }

    /// What items were made from, and how many of them, the commonest first.
    public var modalities: [RankedModalities.Count] {
        let counts = Dictionary(groups.map { ($0.modalities, $0.members.count) }, uniquingKeysWith: +)
        return counts.map { RankedModalities.Count(modalities: $0.key, items: $0.value) }
            .sorted { ($1.items, $0.modalities) < ($0.items, $1.modalities) }
    }
}
