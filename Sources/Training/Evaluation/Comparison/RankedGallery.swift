/// A gallery as queries rank it by their distances to its items, without sorting them.
public struct RankedGallery: Sendable {
    /// In the order that equal distances keep.
    public let items: [RetrievalMetrics.Item]
    /// What is not ranked for a query.
    public let rule: RetrievalProtocol
    private let isDeduplicated: Bool
    private let codes: [String: Int32]
    private let identities: [Int32]

    /// - Parameter isDeduplicated: whether the CMC counts identities rather than items before the first hit.
    public init(
        _ items: [RetrievalMetrics.Item], protocol rule: RetrievalProtocol = .standard, isDeduplicated: Bool = false
    ) {
        var codes: [String: Int32] = [:]
        identities = items.map { item in
            if let code = codes[item.identity] { return code }
            let code = Int32(codes.count)
            codes[item.identity] = code
            return code
        }
        (self.items, self.rule, self.isDeduplicated, self.codes) = (items, rule, isDeduplicated, codes)
    }

    /// How a query goes; nil if nothing is to be found. O(items · log hits).
    ///
    /// - Parameters:
    ///   - distances: to each item; infinite where there is nothing to compare, which is not ranked.
    ///   - places: among which items; nil for all.
    public func outcome(
        of query: RetrievalMetrics.Item, _ distances: [Double], among places: [Int]? = nil
    ) -> QueryOutcome? {
        let isBefore = { (a: Int, b: Int) in (distances[a], a) < (distances[b], b) }
        let own = codes[query.identity] ?? -1
        let ranked = (places ?? Array(items.indices)).filter { place in
            guard distances[place] < .infinity else { return false }
            // Most rules leave out items of the query's identity alone.
            return identities[place] != own && !rule.leavesOutOthers || rule.ranks(items[place], for: query)
        }
        let hits = ranked.filter { identities[$0] == own }.sorted(by: isBefore)
        guard !hits.isEmpty else { return nil }
        // By how many hits are before them.
        var others = [Int](repeating: 0, count: hits.count + 1)
        var ahead: Set<Int32> = []
        for place in ranked where identities[place] != own {
            let before = Self.count(of: hits) { isBefore($0, place) }
            others[before] += 1
            if before == 0, isDeduplicated { ahead.insert(identities[place]) }
        }
        var sum = 0
        let found = hits.indices.map { index in
            sum += others[index]
            return index + sum
        }
        return QueryOutcome(places: found, firstRank: isDeduplicated ? ahead.count + 1 : (found.first ?? 0) + 1)
    }

    /// How each of some queries goes, in their order.
    public func outcomes(of queries: [RetrievalMetrics.Item], _ source: any DistanceSource) -> [QueryOutcome?] {
        var outcomes = [QueryOutcome?](repeating: nil, count: queries.count)
        source.visit { query, distances in outcomes[query] = outcome(of: queries[query], distances) }
        return outcomes
    }

    /// The best matches of a query, near to far: indices of items. O(items · log items).
    public func best(_ count: Int, of query: RetrievalMetrics.Item, _ distances: [Double]) -> [Int] {
        let ranked = items.indices.filter { distances[$0] < .infinity && rule.ranks(items[$0], for: query) }
        return Array(ranked.sorted { (distances[$0], $0) < (distances[$1], $1) }.prefix(count))
    }

    /// The nearest item of the query's identity, and the nearest of another, among those that satisfy a condition. O(items).
    func nearest(
        to query: RetrievalMetrics.Item, _ distances: [Double], where isIncluded: (RetrievalMetrics.Item) -> Bool
    ) -> (own: Int?, other: Int?) {
        let own = codes[query.identity] ?? -1
        var nearest: (own: Int?, other: Int?)
        for place in items.indices where distances[place] < .infinity {
            let isOwn = identities[place] == own
            if let known = isOwn ? nearest.own : nearest.other, distances[known] <= distances[place] { continue }
            guard isIncluded(items[place]), rule.ranks(items[place], for: query) else { continue }
            if isOwn { nearest.own = place } else { nearest.other = place }
        }
        return nearest
    }

    /// How many of some sorted elements satisfy what no element after them does. O(log n).
    private static func count(of sorted: [Int], _ isBefore: (Int) -> Bool) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(sorted[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension RetrievalProtocol {
    /// Whether it may leave out items of other identities than the query's.
    fileprivate var leavesOutOthers: Bool {
        switch self {
        case .sysu, .mixCam, .crossModal, .uniModal: true
        case .standard, .scene, .everything, .mix, .mixID, .mixCamID: false
        }
    }
}
