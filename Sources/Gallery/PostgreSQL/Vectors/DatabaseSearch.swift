import Similarity

/// One query over a gallery whose vectors are in a database.
///
/// The database gives the sightings that are nearest by half-precision products, more than are asked for; all of these are scored from
/// the stored float32 vectors. Where it has compared all sightings, what it has not given scores no more than the last one that it has,
/// and a little: the answer is exact once that is below what answers, and until then more are asked for. Of what an index has found it
/// is not known what it has missed. A score that several sightings of an identity make is made of all that it has.
struct DatabaseSearch {
    /// How many are asked for at most, and of identities of which all are.
    private static let (most, mostMembers) = (65_536, 10_000)

    private let query: VectorIndex.Query
    private let index: DatabaseIndex
    private let db: any SQLSession
    /// One an exemplar, which score what is found.
    private let searches: [IndexSearch]
    private var lanes: [Lane]
    private var conditions: VectorConditions
    private var found = FoundSightings()
    /// Identities of which all sightings are found.
    private var whole: Set<Int64> = []
    private var areMembersCut = false

    /// One exemplar over the sightings of one kind.
    private struct Lane {
        let layout: Int
        let scan: VectorScan
        /// Whether an index is asked, and not all are compared.
        var isIndexed: Bool
        var limit: Int
        /// How many there are that may answer; where an index is asked, without regard to a filter.
        var count: Int
        /// What is not found scores no more; nil where that is not known.
        var bound: Float?
        /// Whether all that there is was given.
        var isShort = false
        var isOver = false
    }

    init(_ query: VectorIndex.Query, _ index: DatabaseIndex, _ db: any SQLSession) {
        (self.query, self.index, self.db) = (query, index, db)
        conditions = VectorConditions(query.conditions, index.gallery)
        let exemplars = query.exemplars.map { VectorCombination($0, in: index.space) }
        searches = exemplars.map { vectors in
            IndexSearch(
                tables: index.layouts.map { layout in
                    (layout.table, vectors.flatMap { query.comparison($0, layout.table) })
                }, eligibility: Eligibility(IndexFilter(), cameras: [:], identities: [:]), query: query)
        }
        lanes = []
        for (place, layout) in index.layouts.enumerated() where layout.sightings > 0 {
            for (search, vectors) in zip(searches, exemplars) {
                guard let vectors, let comparison = search.tables[place].comparison else { continue }
                let plan = layout.plan(comparison, vectors)
                let scan = index.scan(layout, plan)
                lanes.append(
                    Lane(
                        layout: place, scan: scan,
                        isIndexed: !scan.isSmall && layout.isIndexed(plan) && !query.isExhaustive,
                        // What is nearest by several parts together may be far down in each.
                        limit: (plan.only == nil ? 4 : 1) * (4 * query.limit + 64), count: layout.sightings))
            }
        }
    }

    /// Asks until there is nothing more to ask for.
    mutating func run() throws -> VectorIndex.Outcome {
        var groups: [FoundSightings.Group] = []
        try narrow()
        while lanes.contains(where: { !$0.isOver }) {
            for place in lanes.indices where !lanes[place].isOver { try fetch(place) }
            try score()
            groups = try self.groups()
            for place in lanes.indices where !lanes[place].isOver { advance(place, groups) }
        }
        let hits = groups.map(\.hit).prefix { $0.score >= query.threshold ?? -.infinity }.prefix(query.limit)
        let isExact = lanes.allSatisfy { !$0.isIndexed && isCovered($0.layout, groups) } && !areMembersCut
        var outcome = VectorIndex.Outcome(
            hits: Array(hits), rows: Dictionary(lanes.map { ($0.layout, $0.count) }) { $1 }.values.reduce(0, +),
            candidates: found.count, incomparable: try incomparable())
        outcome.isExact = isExact
        return outcome
    }

    /// Looks whether a filter admits so few that all of them are compared: an index would be read for long before it had enough of them.
    private mutating func narrow() throws {
        guard let large = lanes.first(where: { !$0.scan.isSmall })?.scan,
            let few = try large.admitted(conditions, most: index.access.mostCompared, db)
        else { return }
        conditions = VectorConditions(sightings: few, index.gallery)
        for place in lanes.indices { lanes[place].isIndexed = false }
    }

    private mutating func fetch(_ place: Int) throws {
        let lane = lanes[place]
        var conditions = conditions
        if lane.isIndexed {
            // Whoever was found has been found by their nearest.
            if isByNearest { conditions.add(without: found.identities) }
            let parts = try lane.scan.plan.terms.map {
                try lane.scan.indexed($0, conditions, limit: lane.limit, db)
            }
            for rows in parts { found.add(rows, lane.layout) }
            lanes[place].isShort = parts.allSatisfy { $0.count < lane.limit }
        } else {
            let (rows, count) = try lane.scan.exact(conditions, limit: lane.limit, db)
            found.add(rows, lane.layout)
            (lanes[place].count, lanes[place].isShort) = (count, rows.count < lane.limit)
            lanes[place].bound = rows.last.map { $0.score + lane.scan.slack }
        }
    }

    /// Whether an identity is as good as its nearest sighting.
    private var isByNearest: Bool { query.grouping == .identity && query.score == .best }

    private mutating func score() throws {
        let (searches, combination, model, db) = (searches, query.combination, index.model, db)
        try found.score {
            try StoredVectorSource.read($0, model: model, db)
        } _: { stored, layout in
            guard let vectors = searches[0].combination(stored, Int32(layout)) else { return nil }
            let each = searches.compactMap { $0.score(vectors, Int32(layout)) }
            return each.isEmpty ? nil : combination.combined(each)
        }
    }

    /// What to do about a lane next.
    private mutating func advance(_ place: Int, _ groups: [FoundSightings.Group]) {
        let (lane, isFull) = (lanes[place], groups.count >= query.limit)
        if lane.isIndexed {
            let isBelow = query.threshold.map { least in groups.last.map { $0.score < least } ?? false } ?? false
            if isFull || isBelow {
                lanes[place].isOver = true
            } else if lane.isShort {
                // A filter has left too few of what the index gives: all that it admits are compared.
                lanes[place].isIndexed = false
            } else if !isByNearest {
                lanes[place].limit = min(4 * lane.limit, Self.most)
                lanes[place].isOver = lane.limit >= Self.most
            }
        } else {
            lanes[place].isOver =
                lane.isShort || isCovered(lane.layout, groups) || lane.limit >= Self.most
            lanes[place].limit = min(4 * lane.limit, Self.most)
        }
    }

    /// Whether nothing of a layout that was not found can be among the answers.
    private func isCovered(_ layout: Int, _ groups: [FoundSightings.Group]) -> Bool {
        let those = lanes.filter { $0.layout == layout }
        if those.contains(where: { !$0.isIndexed && $0.isShort }) { return true }
        let bounds = those.compactMap(\.bound)
        guard bounds.count == those.count else { return false }
        let last = groups.count < query.limit ? -Float.infinity : groups[query.limit - 1].score
        return query.combination.combined(bounds).nextUp < max(last, query.threshold ?? -.infinity)
    }
}

extension DatabaseSearch {
    /// Of those whose score is known.
    private mutating func groups() throws -> [FoundSightings.Group] {
        if query.grouping == .sighting || query.score == .best {
            return found.groups(query.grouping, query.score)
        }
        let areAllFound = Set(lanes.map(\.layout)).allSatisfy { layout in
            lanes.contains { $0.layout == layout && !$0.isIndexed && $0.isShort }
        }
        if areAllFound { return found.groups(.identity, query.score) }
        while true {
            let known = found.groups(.identity, query.score).filter { whole.contains($0.identity) }
            let least = known.count < query.limit ? -Float.infinity : known[query.limit - 1].score
            // A mean is no more than the largest.
            let open = found.groups(.identity, .best).filter { !whole.contains($0.identity) && $0.score >= least }
            if open.isEmpty { return known }
            try findMembers(of: open.prefix(query.limit + 8).map(\.identity))
        }
    }

    private mutating func findMembers(of identities: [Int64]) throws {
        var conditions = conditions
        conditions.add(of: identities)
        for layout in Set(lanes.map(\.layout)) {
            guard let lane = lanes.first(where: { $0.layout == layout }) else { continue }
            let (rows, count) = try lane.scan.exact(conditions, limit: Self.mostMembers, db)
            if rows.count < count { areMembersCut = true }
            found.add(rows, layout)
        }
        whole.formUnion(identities)
        try score()
    }

    /// How many cannot be compared with any exemplar; in a large gallery, without regard to a filter.
    private func incomparable() throws -> Int {
        let compared = Set(lanes.map(\.layout))
        return try index.layouts.indices.reduce(0) { sum, place in
            let layout = index.layouts[place]
            if compared.contains(place) || layout.sightings == 0 { return sum }
            let scan = index.scan(layout, VectorLayout.Plan(terms: []))
            return sum + (scan.isSmall ? try scan.count(conditions, db) : layout.sightings)
        }
    }
}
