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
    /// Row numbers of sightings.
    package var sightings: Set<Int64>?

    package init() {}
}

/// A filter in the ordinals of one index.
struct Eligibility: Sendable {
    private let cameras: Set<Int32>?
    private let excludedCameras: Set<Int32>
    private let identities: Set<Int32>?
    private let filter: IndexFilter
    /// Whether there is no condition but to be there.
    let isOpen: Bool

    init(_ filter: IndexFilter, cameras: [String: Int32], identities: [Int64: Int32]) {
        self.filter = filter
        isOpen =
            filter.cameras == nil && filter.excludedCameras.isEmpty && filter.capturedFrom == nil
            && filter.capturedBefore == nil && filter.identities == nil && filter.sightings == nil
        self.cameras = filter.cameras.map { Set($0.compactMap { cameras[$0] }) }
        excludedCameras = Set(filter.excludedCameras.compactMap { cameras[$0] })
        self.identities = filter.identities.map { Set($0.compactMap { identities[$0] }) }
    }

    func admits(_ row: IndexRow) -> Bool {
        row.isLive && isSeenByCamera(row) && isInTime(row)
            && identities?.contains(row.identity) != false && filter.sightings?.contains(row.sighting) != false
    }

    private func isSeenByCamera(_ row: IndexRow) -> Bool {
        cameras?.contains(row.camera) != false && !excludedCameras.contains(row.camera)
    }

    private func isInTime(_ row: IndexRow) -> Bool {
        if filter.capturedFrom == nil && filter.capturedBefore == nil { return true }
        guard let time = row.capturedAt else { return false }
        return time >= filter.capturedFrom ?? .min && time < filter.capturedBefore ?? .max
    }
}
