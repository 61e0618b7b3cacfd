import Inference

/// What was ranked: the modalities that queries and gallery were made from, which may be fewer than what was asked for.
public struct RankedModalities: Sendable, Equatable, Encodable {
    /// Items that were made from the same modalities.
    public struct Count: Sendable, Equatable, Encodable {
        /// Joined by `+`.
        public let modalities: String
        /// How many.
        public let items: Int
    }

    /// Of the queries, the commonest first.
    public let queries: [Count]
    /// Of the gallery; over all trials where there are several.
    public let gallery: [Count]
    /// Queries that have nothing of what was asked for, and so were not ranked.
    public let queriesLeftOut: Int
    /// Items of the gallery that have nothing of it.
    public let galleryLeftOut: Int

    init(_ queries: EncodedItems, _ galleries: [EncodedItems]) {
        self.queries = queries.modalities
        let counts = galleries.flatMap(\.modalities).map { ($0.modalities, $0.items) }
        gallery = Dictionary(counts, uniquingKeysWith: +).map { Count(modalities: $0.key, items: $0.value) }
            .sorted { ($1.items, $0.modalities) < ($0.items, $1.modalities) }
        (queriesLeftOut, galleryLeftOut) = (queries.leftOut, galleries.reduce(0) { $0 + $1.leftOut })
    }

    /// In a few words: `rgb+nir+tir`, `nir to rgb`, or `some of rgb+nir+tir` where not all have the same.
    public var label: String {
        let (query, item) = (Self.label(queries), Self.label(gallery))
        return query == item ? query : "\(query) to \(item)"
    }

    private static func label(_ counts: [Count]) -> String {
        if counts.count <= 1 { return counts.first?.modalities ?? "nothing" }
        let named = Set(counts.flatMap { $0.modalities.split(separator: "+").map(String.init) })
        let known = Modality.allCases.map(\.rawValue).filter(named.contains)
        return "some of " + (known + named.subtracting(known).sorted()).joined(separator: "+")
    }
}

extension Sequence<Modality> {
    /// Joined by `+` in `Modality`'s order.
    var label: String { sorted().map(\.rawValue).joined(separator: "+") }
}
