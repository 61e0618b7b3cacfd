/// Each is one transaction, and can be undone until what it concerns was erased.
extension GalleryStore {
    /// Moves a sighting to another identity, making that if it is new. Throws `.notFound` or `.invalid`.
    public func moveSighting(_ sighting: String, to identity: String, in gallery: String) async throws -> Correction {
        try Validation.identity(identity)
        return try await transactions.correct(.move(sighting: sighting, to: identity), in: gallery)
    }

    /// Makes some sightings of an identity another, new one, told apart from it. Throws `.notFound`, `.invalid`, or `.alreadyExists`.
    public func splitIdentity(
        _ identity: String, sightings: [String], into new: String, in gallery: String
    ) async throws -> Correction {
        try Validation.identity(new)
        try Validation.require((1...1000).contains(sightings.count), "sightings", "1 to 1000", "\(sightings.count)")
        try Validation.distinct(sightings, "sightings")
        return try await transactions.correct(
            .split(identity: identity, sightings: sightings, into: new), in: gallery)
    }

    /// Gives an identity another name. Throws `.notFound`, `.invalid`, or `.alreadyExists`.
    public func renameIdentity(_ identity: String, to name: String, in gallery: String) async throws -> Correction {
        try Validation.identity(name)
        return try await transactions.correct(.rename(identity: identity, to: name), in: gallery)
    }

    /// Makes identities part of another, which keeps its label and metadata; theirs come back only when this is undone. It is told
    /// apart from whom they were. Throws `.notFound` or `.invalid`. O(their sightings).
    public func mergeIdentities(
        _ others: [String], into identity: String, in gallery: String
    ) async throws -> Correction {
        try Validation.require((1...100).contains(others.count), "identities", "1 to 100", "\(others.count)")
        try Validation.distinct(others + [identity], "identities")
        return try await transactions.correct(.merge(others, into: identity), in: gallery)
    }

    /// Says that an identity is not the same as others: neither `identities(similarTo:)` nor `groups` puts them together any more.
    /// Throws `.notFound`, or `.invalid` also if that is known of all of them, or if it would be more than `Distinction.most`.
    public func distinguishIdentity(
        _ identity: String, from others: [String], in gallery: String
    ) async throws -> Correction {
        try Validation.require((1...100).contains(others.count), "identities", "1 to 100", "\(others.count)")
        try Validation.distinct(others + [identity], "identities")
        return try await transactions.correct(.distinguish(identity, from: others), in: gallery)
    }

    /// Whom an identity was told apart from, the last one first. Throws `.notFound`.
    public func distinctions(of identity: String, in gallery: String) async throws -> [Distinction] {
        _ = try await transactions.identity(identity, in: gallery)
        return try await distinctions(of: [identity], in: gallery)[identity] ?? []
    }

    /// The same of several, by their names; without those that were told apart from nobody. Throws `.notFound` for the gallery.
    public func distinctions(of identities: [String], in gallery: String) async throws -> [String: [Distinction]] {
        try await transactions.distinctions(of: identities, in: gallery)
    }

    /// Takes a correction back: later ones of the same sightings or names must have been undone before. What was erased since
    /// stays erased. Throws `.notFound`, `.outdated`, or `.alreadyExists` if the name of an identity is another's now.
    public func undoCorrection(_ id: String, in gallery: String) async throws -> Correction {
        try await transactions.correct(.undo(id), in: gallery)
    }

    /// The last 10 000 corrections of a gallery, the first one first. Throws `.notFound`.
    public func corrections(in gallery: String, _ page: PageRequest = .first) async throws -> Page<Correction> {
        try await transactions.corrections(in: gallery, page)
    }
}
