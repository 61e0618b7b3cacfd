extension GalleryStore {
    /// Throws `GalleryError.notFound` if there is no gallery of that name; O(log galleries), unlike counting what is in one.
    public func requireGallery(_ name: String) async throws {
        try await read { db in _ = try Self.galleryID(name, db) }
    }
}
