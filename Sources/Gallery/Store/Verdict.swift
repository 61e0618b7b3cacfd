/// A sighting that may be the same as a passage's.
struct Rival: Sendable, Equatable {
    let sighting: Int64
    let score: Float
    let modalities: [String]
    let threshold: Float

    var lead: Float { score - threshold }
}

/// What a search has found for a passage.
struct Evidence: Sendable {
    var rivals: [Rival] = []
    /// The last sighting, by its row, that it knew of.
    var last: Int64 = 0
    /// What was looked for, in which space; nil if the gallery had nothing.
    var query: [IndexVector] = []
    var space: VectorSpace?
}

/// A sighting that was enrolled since a search.
struct RecentSighting: Sendable {
    let sighting: Int64
    /// Its name.
    let identity: String
    let vectors: [IndexVector]
}

/// Whose a passage is.
struct Verdict: Sendable {
    enum Decision: Sendable, Equatable {
        /// An identity's.
        case join(String)
        /// A new one's.
        case make
        /// Nobody's, and nothing is enrolled.
        case leave
        /// What the search has found is there no more.
        case searchAgain
    }

    let decision: Decision
    var isAmbiguous = false
    /// The best sighting of each identity, by lead, equal ones in order of enrolment.
    var rivals: [Rival] = []
}

/// Decides whose a passage is, by its thresholds and margin.
struct Court: Sendable {
    /// By the modalities that are compared.
    let thresholds: [[String]: Float]
    private let passage: Passage

    init(_ passage: Passage, _ thresholds: [[String]: Float]) {
        (self.passage, self.thresholds) = (passage, thresholds)
    }

    /// - Parameters:
    ///   - owners: the names of the identities of those sightings of the evidence that are there.
    ///   - recent: what was enrolled since.
    func verdict(_ evidence: Evidence, _ owners: [Int64: String], recent: [RecentSighting]) -> Verdict {
        guard evidence.rivals.allSatisfy({ owners[$0.sighting] != nil }) else { return Verdict(decision: .searchAgain) }
        var claims = evidence.rivals.compactMap { rival in owners[rival.sighting].map { (identity: $0, rival: rival) } }
        claims += recent.compactMap { sighting in rival(sighting, evidence).map { (sighting.identity, $0) } }
        claims.sort { a, b in
            a.rival.lead != b.rival.lead ? a.rival.lead > b.rival.lead : a.rival.sighting < b.rival.sighting
        }
        var seen: Set<String> = []
        claims = claims.filter { seen.insert($0.identity).inserted }
        let told = claims.prefix(passage.limit).map(\.rival)
        let isAmbiguous =
            claims.count > 1 && claims[0].rival.lead >= 0
            && claims[0].rival.lead - claims[1].rival.lead < passage.margin
        if let best = claims.first, best.rival.lead >= 0, !isAmbiguous {
            return Verdict(decision: .join(best.identity), rivals: told)
        }
        return Verdict(decision: passage.mayBeNew ? .make : .leave, isAmbiguous: isAmbiguous, rivals: told)
    }

    private func rival(_ recent: RecentSighting, _ evidence: Evidence) -> Rival? {
        let space = evidence.space ?? passage.embedding.space ?? passage.embedding.impliedSpace
        let query = evidence.query.isEmpty ? passage.embedding.indexed : evidence.query
        guard let (score, modalities) = ExactScore.compared(query, recent.vectors, in: space),
            let threshold = thresholds[modalities]
        else { return nil }
        return Rival(sighting: recent.sighting, score: score, modalities: modalities, threshold: threshold)
    }
}

/// A passage on its way into a database. Whose it is is decided within the transaction, from what a search has found and from what
/// was enrolled since: so that of two newcomers that are the same one makes the identity and the other joins it.
struct IdentifyingTransaction: Sendable {
    let enrolments: [Enrolment]
    let model: String
    let filter: QueryFilter
    let evidence: Evidence
    let court: Court

    /// What was enrolled.
    struct Outcome: Sendable {
        var sightings: [SightingRecord] = []
        /// Whether it was before, with the same key.
        var isReplay = false

        static let left = Outcome()
    }
}
