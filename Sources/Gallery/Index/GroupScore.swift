/// What the scores of a group's sightings make.
struct GroupScore {
    typealias Candidate = CompoundSearch.Candidate

    private let score: IdentityScore
    /// Kept for the next group.
    private var values: [Float] = []
    private var cameras: [Int32: Float] = [:]

    init(_ score: IdentityScore) { self.score = score }

    /// The group's score, and how many sightings it comes from; of at least one. O(members · log members).
    mutating func combined(
        _ members: some Sequence<Candidate>, _ value: (Candidate) -> Float
    ) -> (score: Float, counted: Int) {
        values.removeAll(keepingCapacity: true)
        switch score {
        case .best: return (members.reduce(-.infinity) { max($0, value($1)) }, 1)
        case .meanOfBest(let count):
            for member in members { values.append(value(member)) }
            values.sort(by: >)
            if values.count > count { values.removeSubrange(count...) }
        case .perCamera:
            largest(of: members, value)
            values.append(contentsOf: cameras.values)
            values.sort(by: >)
        }
        return (ScoreMean(values).value, values.count)
    }

    /// The members that the score may come from, by their bounds: those that may be among the largest that count.
    mutating func decisive(_ members: some Collection<Candidate>) -> [Candidate] {
        switch score {
        case .best: return decisive(members, count: 1)
        case .meanOfBest(let count): return decisive(members, count: count)
        case .perCamera:
            largest(of: members, \.lower)
            return members.filter { $0.upper >= cameras[$0.camera] ?? -.infinity }
        }
    }

    private func decisive(_ members: some Collection<Candidate>, count: Int) -> [Candidate] {
        guard members.count > count else { return Array(members) }
        let least = members.map(\.lower).sorted(by: >)[count - 1]
        return members.filter { $0.upper >= least }
    }

    private mutating func largest(of members: some Sequence<Candidate>, _ value: (Candidate) -> Float) {
        cameras.removeAll(keepingCapacity: true)
        for member in members { cameras[member.camera] = max(cameras[member.camera] ?? -.infinity, value(member)) }
    }
}

/// Candidates, those of each identity together, or each on its own.
struct CandidateGroups {
    private var sorted: [CompoundSearch.Candidate]
    private let grouping: Grouping

    /// O(candidates + identities): their ordinals are dense.
    init(_ parts: [[CompoundSearch.Candidate]], _ grouping: Grouping) {
        self.grouping = grouping
        sorted = parts.count == 1 ? parts[0] : Array(parts.joined())
        guard grouping == .identity, let first = sorted.first else { return }
        let last = sorted.reduce(first.identity) { max($0, $1.identity) }
        var places = [Int](repeating: 0, count: Int(last) + 2)
        for candidate in sorted { places[Int(candidate.identity) + 1] += 1 }
        for identity in 1..<places.count { places[identity] += places[identity - 1] }
        for part in parts {
            for candidate in part {
                sorted[places[Int(candidate.identity)]] = candidate
                places[Int(candidate.identity)] += 1
            }
        }
    }

    func forEach(_ body: (ArraySlice<CompoundSearch.Candidate>) -> Void) {
        var start = 0
        while start < sorted.count {
            var end = start + 1
            while grouping == .identity, end < sorted.count, sorted[end].identity == sorted[start].identity { end += 1 }
            body(sorted[start..<end])
            start = end
        }
    }
}
