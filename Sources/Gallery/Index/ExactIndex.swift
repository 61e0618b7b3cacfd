import Synchronization
import Tensor

/// The vectors of one gallery under one model, in memory, searched exactly.
///
/// Appending costs O(dimension), deleting one scan of the rows' headers. A search works on a snapshot, so it neither
/// waits for writers nor holds them up, and sees every write that ended before the snapshot was taken. Memory: five
/// bytes an element, and about 60 a row.
package final class ExactIndex: Sendable {
    fileprivate struct State {
        var chunks: [IndexChunk] = []
        var identities: [Int64: Int32] = [:]
        /// How many ordinals were given to identities; a deleted identity's is not given again.
        var identityOrdinals: Int32 = 0
        var cameras: [String: Int32] = [:]
        var modalities: [String: UInt8] = [:]
    }

    /// How many elements a vector has.
    package let dimension: Int
    private let state = Mutex(State())

    package init(dimension: Int) {
        self.dimension = dimension
    }

    /// How many vectors a search sees.
    package var count: Int { state.withLock { $0.chunks.reduce(0) { $0 + $1.live } } }

    /// How many rows the chunks hold, deleted ones included.
    package var occupied: Int { state.withLock { $0.chunks.reduce(0) { $0 + $1.rows.count } } }

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
    package func search(
        _ query: SimilarityQuery, modalities: String, filter: IndexFilter, limit: Int, threshold: Float?,
        grouping: Grouping
    ) -> ExactSearch {
        state.withLock { state in
            ExactSearch(
                query: query, chunks: state.chunks, identities: Int(state.identityOrdinals),
                eligibility: Eligibility(
                    filter, wanted: state.modalities[modalities],
                    cameras: state.cameras, identities: state.identities),
                limit: limit, threshold: threshold, grouping: grouping)
        }
    }
}

extension ExactIndex.State {
    fileprivate mutating func append(_ entry: IndexEntry, dimension: Int) -> Bool {
        let modalities = ordinal(of: entry.modalities)
        let siblings = markSiblings(of: entry.sighting, with: 1 << UInt64(modalities))
        let row = IndexRow(
            sighting: entry.sighting, identity: ordinal(of: entry.identity),
            camera: entry.camera.map { ordinal(ofCamera: $0) } ?? -1, capturedAt: entry.capturedAt,
            modalities: modalities, isMain: entry.isMain, siblings: siblings)
        if chunks.last?.hasRoom != true { chunks.append(IndexChunk(dimension: dimension)) }
        return chunks[chunks.count - 1].append(row, entry)
    }

    /// Tells the sighting's earlier vectors, which are the last rows, of a new one; the siblings they have together.
    private mutating func markSiblings(of sighting: Int64, with bit: UInt64) -> UInt64 {
        var siblings = bit
        var places: [(chunk: Int, row: Int)] = []
        search: for chunk in chunks.indices.reversed() {
            for row in chunks[chunk].rows.indices.reversed() {
                guard chunks[chunk].rows[row].sighting == sighting else { break search }
                siblings |= chunks[chunk].rows[row].siblings
                places.append((chunk, row))
            }
        }
        for place in places { chunks[place.chunk].setSiblings(siblings, at: place.row) }
        return siblings
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

    /// Sets of modalities beyond the 63rd share an ordinal, so their vectors are told apart no more. Three modalities
    /// have seven.
    private mutating func ordinal(of set: String) -> UInt8 {
        if let known = modalities[set] { return known }
        let ordinal = UInt8(min(modalities.count, 63))
        modalities[set] = ordinal
        return ordinal
    }

    /// A chunk that lost half its rows is rewritten, an empty one dropped.
    fileprivate mutating func remove(where isGone: (IndexRow) -> Bool) {
        for index in chunks.indices.reversed() where chunks[index].remove(where: isGone) {
            if chunks[index].live == 0 {
                chunks.remove(at: index)
            } else if chunks[index].live * 2 <= chunks[index].rows.count {
                chunks[index] = chunks[index].compacted()
            }
        }
    }
}
