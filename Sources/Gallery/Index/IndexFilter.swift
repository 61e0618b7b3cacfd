/// Which sightings may answer. Every condition given must hold.
package struct IndexFilter: Sendable {
    package var cameras: Set<String>?
    package var excludedCameras: Set<String> = []
    /// Milliseconds since 1970, inclusive. A sighting without a time fails a condition on time.
    package var capturedFrom: Int64?
    /// Milliseconds since 1970, exclusive.
    package var capturedBefore: Int64?
    /// Row numbers of identities.
    package var identities: Set<Int64>?
    package var excludedIdentities: Set<Int64> = []
    /// Row numbers of sightings.
    package var sightings: Set<Int64>?
    package var excludedSightings: Set<Int64> = []

    package init() {}

    /// Whether there is no condition.
    var isOpen: Bool {
        cameras == nil && excludedCameras.isEmpty && capturedFrom == nil && capturedBefore == nil && identities == nil
            && excludedIdentities.isEmpty && sightings == nil && excludedSightings.isEmpty
    }
}

extension IndexFilter {
    /// Whether it admits a sighting of the database.
    func admits(sighting: Int64, identity: Int64, camera: String?, capturedAt: Int64?) -> Bool {
        let isSeen = cameras.map { camera.map($0.contains) ?? false } ?? true
        let isLeftOut =
            camera.map(excludedCameras.contains) ?? false || excludedIdentities.contains(identity)
            || excludedSightings.contains(sighting)
        let isInTime =
            capturedFrom == nil && capturedBefore == nil
            || capturedAt.map { $0 >= capturedFrom ?? .min && $0 < capturedBefore ?? .max } ?? false
        return isSeen && !isLeftOut && isInTime && identities?.contains(identity) != false
            && sightings?.contains(sighting) != false
    }
}

/// The few rows that may answer, of each table by chunk: a filter that names them is spared a look at all the others.
struct IndexSelection: Sendable {
    private(set) var rows: [[Int: [Int32]]]

    init(tables: Int) { rows = [[Int: [Int32]]](repeating: [:], count: tables) }

    mutating func add(table: Int, chunk: Int, row: Int) { rows[table][chunk, default: []].append(Int32(row)) }

    mutating func sort() {
        for table in rows.indices { rows[table] = rows[table].mapValues { $0.sorted() } }
    }
}

/// A filter in the ordinals of one index.
struct Eligibility: Sendable {
    private let cameras: Set<Int32>?
    private let excludedCameras: Set<Int32>
    private let identities: Set<Int32>?
    private let excludedIdentities: Set<Int32>
    private let filter: IndexFilter
    /// Whether there is no condition but to be there.
    let isOpen: Bool
    /// The rows to look at; nil for all.
    let selection: IndexSelection?

    init(
        _ filter: IndexFilter, cameras: [String: Int32], identities: [Int64: Int32], selection: IndexSelection? = nil
    ) {
        (self.filter, self.selection) = (filter, selection)
        isOpen = filter.isOpen
        self.cameras = filter.cameras.map { Set($0.compactMap { cameras[$0] }) }
        excludedCameras = Set(filter.excludedCameras.compactMap { cameras[$0] })
        self.identities = filter.identities.map { Set($0.compactMap { identities[$0] }) }
        excludedIdentities = Set(filter.excludedIdentities.compactMap { identities[$0] })
    }

    /// Whether a chunk has none but eligible rows.
    func admitsAll(of chunk: VectorChunk) -> Bool { isOpen && chunk.live == chunk.rows.count }

    func admits(_ row: IndexRow) -> Bool {
        row.isLive && isSeenByCamera(row) && isInTime(row) && isOfIdentity(row)
            && filter.sightings?.contains(row.sighting) != false
            && (filter.excludedSightings.isEmpty || !filter.excludedSightings.contains(row.sighting))
    }

    private func isSeenByCamera(_ row: IndexRow) -> Bool {
        cameras?.contains(row.camera) != false
            && (excludedCameras.isEmpty || !excludedCameras.contains(row.camera))
    }

    private func isOfIdentity(_ row: IndexRow) -> Bool {
        identities?.contains(row.identity) != false
            && (excludedIdentities.isEmpty || !excludedIdentities.contains(row.identity))
    }

    private func isInTime(_ row: IndexRow) -> Bool {
        if filter.capturedFrom == nil && filter.capturedBefore == nil { return true }
        guard let time = row.capturedAt else { return false }
        return time >= filter.capturedFrom ?? .min && time < filter.capturedBefore ?? .max
    }
}
