import Similarity

/// Distances after k-reciprocal re-ranking of the queries and the whole gallery together.
public struct RerankedDistances: DistanceSource {
    private let encoding: KReciprocalEncoding
    private let queries: any DistanceSource

    /// O(n²) distances for the n queries and items together, computed twice and not kept.
    ///
    /// - Parameters:
    ///   - all: squared distances of queries and items, in this order, to all of these: n rows of n.
    ///   - queries: the queries' rows of these.
    public init(_ parameters: KReciprocal, all: any DistanceSource, queries: any DistanceSource) {
        encoding = KReciprocalEncoding(parameters, count: all.size.queries) { visit in all.visit(visit) }
        self.queries = queries
    }

    /// Re-ranks by the cosines of vectors; items that cannot be compared are at right angles.
    init(_ parameters: KReciprocal, _ queries: EncodedItems, _ gallery: EncodedItems) {
        let all = queries.appending(gallery)
        self.init(
            parameters, all: SquaredDistances(of: VectorComparison(all, all)),
            queries: SquaredDistances(of: VectorComparison(queries, all)))
    }

    /// Of the queries and the gallery that is re-ranked.
    public var size: (queries: Int, gallery: Int) {
        (queries.size.queries, queries.size.gallery - queries.size.queries)
    }

    /// As the protocol says.
    public func visit(_ body: (_ query: Int, _ distances: [Double]) throws -> Void) rethrows {
        try queries.visit { query, squared in
            try body(query, Array(encoding.distances(from: query, squared).dropFirst(queries.size.queries)))
        }
    }
}

/// Squared Euclidean distances of unit vectors, from −2 times their cosines.
private struct SquaredDistances: DistanceSource {
    let source: VectorComparison

    init(of source: VectorComparison) { self.source = source }

    var size: (queries: Int, gallery: Int) { source.size }

    func visit(_ body: (_ query: Int, _ distances: [Double]) throws -> Void) rethrows {
        try source.visit { query, distances in
            try body(query, distances.map { $0 < .infinity ? max(2 + $0, 0) : 2 })
        }
    }
}
