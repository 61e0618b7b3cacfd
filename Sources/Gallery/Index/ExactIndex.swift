import Synchronization
import Similarity

/// The vectors of one gallery under one model, in memory, searched exactly.
///
/// Appending costs O(dimension), deleting one scan of the rows' headers. A search works on a snapshot, so it neither
/// waits for writers nor holds them up, and sees every write that ended before the snapshot was taken. Memory: five
/// bytes an element, and about 60 a row.
package final class ExactIndex: Sendable {
    fileprivate struct State {
        /// By set of modalities, so that a search reads only the vectors that it compares.
        var parts: [IndexPart] = []
        var identities: [Int64: Int32] = [:]
        /// How many ordinals were given to identities; a deleted identity's is not given again.
        var identityOrdinals: Int32 = 0
        var cameras: [String: Int32] = [:]
    }

    /// How many elements a vector has.
    package let dimension: Int
    private let state = Mutex(State())

    package init(dimension: Int) {
        self.dimension = dimension
    }

    /// How many vectors a search sees. O(sets of modalities).
    package var count: Int { state.withLock { $0.parts.reduce(0) { $0 + $1.live } } }

    /// How many rows the chunks hold, deleted ones included.
    package var occupied: Int { state.withLock { $0.parts.reduce(0) { $0 + $1.occupied } } }

    /// Adds a vector, or does nothing and gives false if it is not of unit length. Those of one sighting must come one
    /// after the other.
    @discardableResult package func append(_ entry: IndexEntry) -> Bool {
        precondition(entry.vector.count == 4 * dimension, "a vector of another dimension")
        return state.withLock { $0.append(entry, dimension: dimension) }
    }

    /// Deletes the vectors of sightings.
    package func remove(sightings: Set<Int64>) {
        state.withLock { $0.remove { sightings.contains($0.sighting) } }
    }

    /// Deletes the vectors of an identity.
    package func remove(identity: Int64) {
        state.withLock { state in
            guard let ordinal = state.identities.removeValue(forKey: identity) else { return }
            state.remove { $0.identity == ordinal }
        }
    }

    /// What to search, frozen, and which rows may answer.
    ///
    /// A sighting is compared by the modalities that it shares with the query: `subsets` are the query's vectors made from
    /// fewer of its modalities. If either side has no vector of just these, their main vectors are compared.
    package func search(
        _ query: SimilarityQuery, modalities: String, subsets: [String: SimilarityQuery] = [:], filter: IndexFilter,
        limit: Int, threshold: Float?, grouping: Grouping
    ) -> ExactSearch {
        state.withLock { state in
            let own = PartComparison.names(modalities)
            var queries = [own: query]
            for (key, vector) in subsets where key != modalities { queries[PartComparison.names(key)] = vector }
            let comparisons = PartComparison.all(state.parts, own, Set(queries.keys))
            let passes = comparisons.map { comparison in
                let part = state.parts[comparison.part]
                return IndexPass(
                    query: comparison.isShared ? queries[part.modalities] ?? query : query, chunks: part.chunks,
                    identities: Int(state.identityOrdinals),
                    eligibility: Eligibility(
                        filter, comparison.representation, cameras: state.cameras, identities: state.identities),
                    limit: limit, threshold: threshold, grouping: grouping)
            }
            return ExactSearch(passes: passes, limit: limit, grouping: grouping)
        }
    }
}

extension ExactIndex.State {
    fileprivate mutating func append(_ entry: IndexEntry, dimension: Int) -> Bool {
        guard let part = ordinal(ofPart: entry.modalities) else { return false }
        let earlier = parts.compactMap { $0.row(of: entry.sighting) }.first
        let siblings = (earlier?.siblings ?? 0) | 1 << UInt64(part)
        let row = IndexRow(
            sighting: entry.sighting, identity: ordinal(of: entry.identity),
            camera: entry.camera.map { ordinal(ofCamera: $0) } ?? -1, capturedAt: entry.capturedAt,
            main: entry.isMain ? part : earlier?.main ?? part, siblings: siblings)
        guard parts[Int(part)].append(row, entry, dimension: dimension) else { return false }
        for index in parts.indices { parts[index].setSiblings(siblings, of: entry.sighting) }
        return true
    }

    /// nil beyond 64 sets; three modalities have seven.
    private mutating func ordinal(ofPart key: String) -> UInt8? {
        let names = PartComparison.names(key)
        if let known = parts.firstIndex(where: { $0.modalities == names }) { return UInt8(known) }
        guard parts.count < 64 else { return nil }
        parts.append(IndexPart(names))
        return UInt8(parts.count - 1)
    }

    private mutating func ordinal(of identity: Int64) -> Int32 {
        if let known = identities[identity] { return known }
        defer { identityOrdinals += 1 }
        identities[identity] = identityOrdinals
        return identityOrdinals
    }

    private mutating func ordinal(ofCamera camera: String) -> Int32 {
        if let known = cameras[camera] { return known }
        let ordinal = Int32(cameras.count)
        cameras[camera] = ordinal
        return ordinal
    }

    fileprivate mutating func remove(where isGone: (IndexRow) -> Bool) {
        for index in parts.indices { parts[index].remove(where: isGone) }
    }
}
