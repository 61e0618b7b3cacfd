import Foundation

extension GalleryStore {
    /// Makes an empty gallery. Throws `.invalid` or `.alreadyExists`.
    public func createGallery(
        _ name: String, label: String? = nil, metadata: Metadata = [:], retentionDays: Int? = nil
    ) async throws -> GalleryRecord {
        try Validation.gallery(name)
        try Validation.label(label)
        try Validation.metadata(metadata)
        try Validation.retention(retentionDays)
        let gallery = GalleryRecord(
            name: name, label: label, metadata: metadata, createdAt: .stored, retentionDays: retentionDays)
        try await transactions.createGallery(gallery)
        return gallery
    }

    /// Changes a gallery's label, metadata or retention. Throws `.notFound` or `.invalid`.
    public func updateGallery(_ name: String, _ patch: GalleryPatch) async throws -> GalleryRecord {
        if case .set(let label) = patch.label { try Validation.label(label) }
        if case .set(let metadata) = patch.metadata { try Validation.metadata(metadata) }
        if case .set(let days) = patch.retentionDays { try Validation.retention(days) }
        return try await transactions.updateGallery(name, patch)
    }

    /// The galleries in order of creation; only those among some names, or all.
    public func galleries(
        among names: [String]? = nil, _ page: PageRequest = .first
    ) async throws -> Page<GalleryRecord> {
        try await transactions.galleries(among: names, page)
    }

    /// A gallery and how much is in it; images and vectors of what was erased count until they are deleted. Throws
    /// `.notFound`. O(1), but for erasures under way.
    public func gallery(_ name: String) async throws -> GallerySummary { try await transactions.gallery(name) }

    /// The galleries with the most sightings, the largest first. O(galleries · log galleries).
    public func largestGalleries(_ count: Int) async throws -> [GalleryTally] {
        try await transactions.largestGalleries(count)
    }

    /// Throws `GalleryError.notFound` if there is no gallery of that name. O(log galleries).
    public func requireGallery(_ name: String) async throws { try await transactions.requireGallery(name) }

    /// Erases a gallery with all that is in it. From the return on nothing of it is to be found and its name is free;
    /// deleting it goes on in the background. Throws `.notFound`.
    public func deleteGallery(_ name: String) async throws { try await transactions.deleteGallery(name) }
}

extension GalleryStore {
    /// Makes an identity without sightings. Throws `.notFound`, `.invalid` or `.alreadyExists`.
    public func createIdentity(
        _ id: String, in gallery: String, label: String? = nil, metadata: Metadata = [:], watchlist: Bool = false
    ) async throws -> IdentityRecord {
        let new = NewIdentity(id, label: label, metadata: metadata, watchlist: watchlist)
        guard try await createIdentities([new], in: gallery)[0].get() else {
            throw GalleryError.alreadyExists(.identity, id)
        }
        return try await identity(id, in: gallery)
    }

    /// Makes several in one transaction: whether each is new, or what is wrong with it; one that is there stays as it is. Throws
    /// `.notFound` for the gallery, `.busy`, `.full` or `.storage`; then none was made.
    public func createIdentities(
        _ identities: [NewIdentity], in gallery: String
    ) async throws -> [Result<Bool, any Error>] {
        try await transactions.createIdentities(
            identities.map { identity in Result { try identity.validate() }.map { identity } }, in: gallery)
    }

    /// Changes an identity's label or metadata. Throws `.notFound` or `.invalid`.
    public func updateIdentity(
        _ id: String, in gallery: String, _ patch: IdentityPatch
    ) async throws -> IdentityRecord {
        if case .set(let label) = patch.label { try Validation.label(label) }
        if case .set(let metadata) = patch.metadata { try Validation.metadata(metadata) }
        return try await transactions.updateIdentity(id, in: gallery, patch)
    }

    /// An identity. Throws `.notFound`.
    public func identity(_ id: String, in gallery: String) async throws -> IdentityRecord {
        try await transactions.identity(id, in: gallery)
    }

    /// Erases an identity with its sightings, their images and embeddings. From the return on nothing of it is to be found
    /// and its name is free; deleting many sightings goes on in the background. Throws `.notFound`.
    public func deleteIdentity(_ id: String, in gallery: String) async throws {
        try await transactions.deleteIdentity(id, in: gallery)
    }
}
