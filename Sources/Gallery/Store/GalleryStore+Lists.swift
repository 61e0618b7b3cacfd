import Threads

extension GalleryStore {
    /// Seconds for which facets are counted at the most, waiting for others included.
    public static let facetSeconds = 10

    /// A gallery's identities in order of creation. Throws `.notFound` or `.invalid`.
    public func identities(in gallery: String, _ page: PageRequest = .first) async throws -> Page<IdentityRecord> {
        try await identities(in: gallery, IdentityListFilter(), SortedPageRequest(page))
    }

    /// A gallery's identities that a filter admits, sorted. Throws `.notFound` or `.invalid`.
    ///
    /// O(page · log identities) without a filter, with a label in the order of creation or of labels, with a prefix in the order of
    /// labels, and with `isLabelled` in the order of creation; else also O(identities that are passed over).
    public func identities(
        in gallery: String, _ filter: IdentityListFilter, _ page: SortedPageRequest<IdentityOrder>
    ) async throws -> Page<IdentityRecord> {
        try filter.validate()
        return try await transactions.identities(in: gallery, filter, page)
    }

    /// A gallery's sightings in order of enrolment. Throws `.notFound` or `.invalid`.
    public func sightings(
        in gallery: String, _ filter: SightingListFilter, _ page: PageRequest = .first
    ) async throws -> Page<SightingRecord> {
        try await sightings(in: gallery, filter, SortedPageRequest(page))
    }

    /// A gallery's sightings that a filter admits, whoever's they are, sorted. Throws `.notFound` or `.invalid`.
    ///
    /// O(page · log sightings) without a filter, and with one of time in the order of capture; else also O(sightings that are passed
    /// over).
    public func sightings(
        in gallery: String, _ filter: SightingListFilter, _ page: SortedPageRequest<SightingOrder>
    ) async throws -> Page<SightingRecord> {
        try filter.validate()
        return try await transactions.sightings(in: gallery, filter, page)
    }

    /// Counts a gallery's sightings that a filter admits, at one moment. One gallery is counted after the other, and a count ends early
    /// with its task. Throws `.notFound`, `.invalid`, or `CancellationError`. O(sightings that the filter admits or that are passed
    /// over).
    public func facets(
        in gallery: String, _ filter: SightingListFilter, by bucket: TimeBucket = .day
    ) async throws -> GalleryFacets {
        try filter.validate()
        return try await counting.run { try await self.transactions.facets(in: gallery, filter, by: bucket) }
    }
}
