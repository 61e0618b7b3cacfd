import Similarity
import Synchronization
import Threads

/// The vectors of one gallery under one model, searched exactly.
///
/// In memory are int8 codes with bounds of what they leave out, not the vectors: those few that the bounds cannot rule out are
/// read from the store. A search works on a snapshot, so it neither waits for writers nor holds them up, and sees every write
/// that ended before the snapshot was taken. Memory: a byte an element of each modality and of what a triple's make together,
/// and about a hundred a sighting.
package final class VectorIndex: Sendable {
    /// A sighting on its way into an index.
    package struct Entry: Sendable {
        package var sighting: Int64
        package var identity: Int64
        package var camera: String?
        package var capturedAt: Int64?
        package var vectors: [IndexVector]

        package init(
            sighting: Int64, identity: Int64, camera: String? = nil, capturedAt: Int64? = nil, vectors: [IndexVector]
        ) {
            (self.sighting, self.identity, self.camera) = (sighting, identity, camera)
            (self.capturedAt, self.vectors) = (capturedAt, vectors)
        }
    }

    fileprivate struct Place {
        let table: UInt32
        let chunk: UInt32
        let row: UInt32
        let identity: Int32
    }

    fileprivate struct State {
        var tables: [VectorTable] = []
        var places: [Int64: Place] = [:]
        var identities: [Int64: Int32] = [:]
        /// Sightings by the ordinal of their identity; of one that was deleted there are none, and it is not given again.
        var sightings: [[Int64]] = []
        var cameras: [String: Int32] = [:]
        /// The last sighting that came, by its row.
        var last: Int64 = 0
    }

    /// What the vectors are.
    package let space: VectorSpace
    /// Searches that are asked for at the same time.
    let passes = SharedPasses()
    /// Those that take more, one by one: they neither hold up the others nor fill the memory.
    let compoundPasses = SharedPasses(most: 1, atOnce: 1)
    private let state = Mutex(State())

    package init(space: VectorSpace) { self.space = space }

    /// How many sightings a search sees. O(1).
    package var count: Int { state.withLock { $0.places.count } }

    /// Bytes that it holds, about. O(sets of modalities).
    package var memoryBytes: Int {
        state.withLock { state in
            state.tables.reduce(0) { $0 + $1.chunks.count * $1.chunkBytes } + state.places.count * 64
        }
    }

    /// Whether there are sightings that share some of these modalities, but not all. O(sets of modalities).
    func sharesSome(of names: [String]) -> Bool {
        state.withLock { $0.tables.contains { $0.live > 0 && $0.sharesSome(of: names) } }
    }

    /// Adds a sighting, in place of what there is of it, or does nothing and gives false if its vectors are not of the space or have no length. O(elements).
    @discardableResult package func append(_ entry: Entry) -> Bool {
        guard let vectors = VectorCombination(entry.vectors, in: space), let prepared = VectorTable.Prepared(vectors)
        else { return false }
        state.withLock { state in
            state.forget(entry.sighting)
            state.append(entry, prepared, space)
        }
        return true
    }

    /// Deletes a sighting. O(1), now and then O(rows of a chunk).
    package func remove(sighting: Int64) {
        state.withLock { $0.forget(sighting) }
    }

    /// Gives a sighting to another identity. O(sightings of the one that had it).
    package func move(sighting: Int64, to identity: Int64) {
        state.withLock { $0.move(sighting, to: identity) }
    }

    /// Says where and when a sighting was seen. O(1).
    package func describe(sighting: Int64, camera: String?, capturedAt: Int64?) {
        state.withLock { state in
            guard let place = state.places[sighting] else { return }
            let ordinal = camera.map { state.ordinal(ofCamera: $0) } ?? -1
            state.tables[Int(place.table)].update(chunk: Int(place.chunk), row: Int(place.row)) { row in
                (row.camera, row.capturedAt) = (ordinal, capturedAt)
            }
        }
    }

    /// Deletes an identity's sightings. O(their number).
    package func remove(identity: Int64) {
        state.withLock { state in
            guard let ordinal = state.identities.removeValue(forKey: identity) else { return }
            for sighting in state.sightings[Int(ordinal)] { _ = state.remove(sighting) }
            state.sightings[Int(ordinal)] = []
        }
    }

    /// A line for each sighting, sorted, with all that is held of it but the place: of indexes that hold the same they are the same.
    /// Vectors are told by what bounds their products with others.
    package var contents: [String] {
        let (tables, identities, cameras) = state.withLock { ($0.tables, $0.identities, $0.cameras) }
        let owners = Dictionary(uniqueKeysWithValues: identities.map { ($1, $0) })
        let names = Dictionary(uniqueKeysWithValues: cameras.map { ($1, $0) })
        return tables.flatMap { table in
            table.chunks.flatMap { chunk -> [String] in
                let bounds = chunk.blocks.map { block in
                    var bounds = SimilarityBounds()
                    bounds.reset(count: chunk.rows.count)
                    block.setBounds(
                        SimilarityQuery((0..<block.dimension).map { Float(1 + $0 % 7) }), to: &bounds)
                    return bounds
                }
                return chunk.rows.indices.filter { chunk.rows[$0].isLive }.map { place in
                    let row = chunk.rows[place]
                    return "\(row.sighting) of \(owners[row.identity] ?? 0) at \(names[row.camera] ?? "-"), "
                        + "\(row.capturedAt ?? 0): \(table.names) "
                        + bounds.map { "\($0.lower[place])...\($0.upper[place])" }.joined(separator: " ")
                }
            }
        }.sorted()
    }

    /// Who is there at one moment. O(sightings · log sightings).
    func roster() -> GalleryRoster {
        let (tables, identities) = state.withLock { ($0.tables, $0.identities) }
        let rows = tables.flatMap { $0.chunks.flatMap { $0.rows.filter(\.isLive) } }
        let members = rows.map {
            GalleryRoster.Member(sighting: $0.sighting, identity: $0.identity, camera: $0.camera)
        }
        return GalleryRoster(
            members: members.sorted { $0.sighting < $1.sighting }, identities: identities, space: space)
    }

    /// What to search for each exemplar of queries, frozen at one moment, and the last sighting that was there.
    func snapshot(for queries: [Query]) -> (searches: [[IndexSearch]], last: Int64) {
        let vectors = queries.map { $0.exemplars.map { VectorCombination($0, in: space) } }
        let (tables, filters, last) = state.withLock { state in
            let filters = queries.map { query in
                Eligibility(
                    query.filter, cameras: state.cameras, identities: state.identities,
                    selection: state.selection(query.filter))
            }
            return (state.tables, filters, state.last)
        }
        let searches = queries.indices.map { index in
            vectors[index].map { vectors in
                IndexSearch(
                    tables: tables.map { table in (table, vectors.flatMap { queries[index].comparison($0, table) }) },
                    eligibility: filters[index], query: queries[index])
            }
        }
        return (searches, last)
    }
}

extension VectorIndex.Query {
    /// nil if a table's sightings cannot answer.
    func comparison(_ vectors: VectorCombination, _ table: VectorTable) -> TableComparison? {
        guard let comparison = table.comparison(with: vectors) else { return nil }
        guard let compared else { return comparison }
        return comparison.names == compared && vectors.names.contains(compared[0]) ? comparison : nil
    }
}

extension VectorIndex.State {
    /// What a filter selects by name, if that is little: otherwise looking at all rows is faster. O(selected).
    fileprivate func selection(_ filter: IndexFilter) -> IndexSelection? {
        let ordinals = filter.identities.map { $0.compactMap { identities[$0] } }
        let ofIdentities = ordinals.map { $0.reduce(0) { $0 + sightings[Int($1)].count } } ?? .max
        let named = filter.sightings?.count ?? .max
        guard min(ofIdentities, named) <= places.count / 8 else { return nil }
        var selection = IndexSelection(tables: tables.count)
        func add(_ sighting: Int64) {
            guard let place = places[sighting] else { return }
            selection.add(table: Int(place.table), chunk: Int(place.chunk), row: Int(place.row))
        }
        if named <= ofIdentities {
            filter.sightings?.forEach(add)
        } else {
            for ordinal in ordinals ?? [] { sightings[Int(ordinal)].forEach(add) }
        }
        selection.sort()
        return selection
    }

    fileprivate mutating func append(
        _ entry: VectorIndex.Entry, _ prepared: VectorTable.Prepared, _ space: VectorSpace
    ) {
        let table = ordinal(ofTable: prepared, space)
        let row = IndexRow(
            sighting: entry.sighting, identity: ordinal(of: entry.identity),
            camera: entry.camera.map { ordinal(ofCamera: $0) } ?? -1, capturedAt: entry.capturedAt)
        let place = tables[table].append(row, prepared)
        places[entry.sighting] = VectorIndex.Place(
            table: UInt32(table), chunk: UInt32(place.chunk), row: UInt32(place.row), identity: row.identity)
        sightings[Int(row.identity)].append(entry.sighting)
        last = max(last, entry.sighting)
    }

    fileprivate mutating func forget(_ sighting: Int64) {
        guard let place = remove(sighting) else { return }
        sightings[Int(place.identity)].removeAll { $0 == sighting }
    }

    fileprivate mutating func move(_ sighting: Int64, to identity: Int64) {
        guard let old = places[sighting] else { return }
        let ordinal = ordinal(of: identity)
        tables[Int(old.table)].update(chunk: Int(old.chunk), row: Int(old.row)) { $0.identity = ordinal }
        places[sighting] = VectorIndex.Place(table: old.table, chunk: old.chunk, row: old.row, identity: ordinal)
        sightings[Int(old.identity)].removeAll { $0 == sighting }
        sightings[Int(ordinal)].append(sighting)
    }

    private mutating func ordinal(ofTable prepared: VectorTable.Prepared, _ space: VectorSpace) -> Int {
        if let known = tables.firstIndex(where: { $0.isLike(prepared.table) }) { return known }
        tables.append(prepared.table)
        return tables.count - 1
    }

    private mutating func ordinal(of identity: Int64) -> Int32 {
        if let known = identities[identity] { return known }
        let ordinal = Int32(sightings.count)
        identities[identity] = ordinal
        sightings.append([])
        return ordinal
    }

    fileprivate mutating func ordinal(ofCamera camera: String) -> Int32 {
        if let known = cameras[camera] { return known }
        let ordinal = Int32(cameras.count)
        cameras[camera] = ordinal
        return ordinal
    }

    fileprivate mutating func remove(_ sighting: Int64) -> VectorIndex.Place? {
        guard let place = places.removeValue(forKey: sighting) else { return nil }
        let moved = tables[Int(place.table)].remove(chunk: Int(place.chunk), row: Int(place.row))
        for (sighting, row) in moved {
            guard let old = places[sighting] else { continue }
            places[sighting] = VectorIndex.Place(
                table: place.table, chunk: place.chunk, row: UInt32(row), identity: old.identity)
        }
        return place
    }
}
