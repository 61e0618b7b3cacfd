extension GalleryStore {
    /// Which models have embedded how many sightings, over all galleries. O(models), but for erasures under way.
    public func models() async throws -> [ModelCoverage] { try await transactions.models() }

    /// Whether a gallery has sightings that share some of these modalities under a model, but not all: only these are compared by
    /// smaller sets. Throws `.notFound`.
    public func sharesSome(of modalities: [String], model: String, in gallery: String) async throws -> Bool {
        let scope = try await transactions.scopes([QueryFilter()], in: gallery)[0]
        return scope.searches[model]?.sharesSome(of: modalities) ?? false
    }

    /// How many sightings there are, over all galleries. O(1), but for erasures under way.
    public func sightingCount() async throws -> Int { try await transactions.sightingCount() }

    /// What a model made of a sighting; nil if it has not embedded it. Throws `.notFound`.
    public func embedding(
        of sighting: String, in gallery: String, model: String
    ) async throws -> SightingEmbedding? {
        try await transactions.embedding(of: sighting, in: gallery, model: model)
    }

    /// Adds what further models made of sightings, in one transaction. What a model has embedded already is left out, so
    /// that a repeated or resumed job does no harm, and so is what was erased meanwhile. Throws `.invalid` or
    /// `.dimensionMismatch`; then nothing was added.
    ///
    /// - Returns: how many were added.
    @discardableResult public func addEmbeddings(_ additions: [EmbeddingAddition]) async throws -> Int {
        for addition in additions { try Validation.embedding(addition.embedding) }
        return try await transactions.addEmbeddings(additions)
    }

    /// Puts what a model made of sightings in place of vectors that cannot be taken apart, or that are one a modality where one for
    /// each set of these comes, in one transaction. Others are left as they are. Throws as `addEmbeddings` does.
    ///
    /// - Returns: how many were replaced.
    public func replaceEmbeddings(_ replacements: [EmbeddingAddition]) async throws -> Int {
        for replacement in replacements { try Validation.embedding(replacement.embedding) }
        return try await transactions.replaceEmbeddings(replacements)
    }

    /// Drops all vectors of a model: from the return on it has none; deleting them goes on in the background. Does nothing
    /// if there are none.
    public func deleteEmbeddings(model: String) async throws { try await transactions.deleteEmbeddings(model: model) }

    /// Counts the sightings that a model has not embedded, over all galleries. O(sightings).
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - other: the model whose vectors might stand in.
    public func lacking(model: String, standIn other: String?) async throws -> LackingSightings {
        try await transactions.lacking(model: model, standIn: other)
    }

    /// The next sightings that a model has not embedded, over all galleries, with their images, as many as fit 64 MiB but at
    /// least one. One read says what there is and whether there is more, so that nothing that is enrolled or erased between
    /// two reads matters.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - limit: how many at most, 1–1000.
    ///   - key: the last batch's `next`, 0 at first.
    public func pendingBatch(model: String, limit: Int, after key: Int64 = 0) async throws -> PendingBatch {
        try Validation.limit(limit)
        return try await transactions.pendingBatch(.missing, model: model, limit: limit, after: key)
    }

    /// How many sightings with images have no vector of a model. O(1) if each sighting has one, else O(sightings).
    public func missingCount(model: String) async throws -> Int {
        try await transactions.pendingCount(.missing, model: model)
    }

    /// The next sightings with images that have a vector of a model that cannot be taken apart, as `pendingBatch` gives them.
    ///
    /// - Parameter orParts: also those that have one a modality; a model that `interacts` needs more.
    public func fusedBatch(
        model: String, orParts: Bool = false, limit: Int, after key: Int64 = 0
    ) async throws -> PendingBatch {
        try Validation.limit(limit)
        return try await transactions.pendingBatch(.fused(orParts: orParts), model: model, limit: limit, after: key)
    }

    /// How many of these there are. O(their number), or O(the model's vectors) with `orParts`.
    public func fusedCount(model: String, orParts: Bool = false) async throws -> Int {
        try await transactions.pendingCount(.fused(orParts: orParts), model: model)
    }

    /// The row numbers of about so many sightings with images, over all galleries: all those of identities spread evenly,
    /// so that there are pairs of one identity among them. O(sightings).
    public func sample(count: Int) async throws -> [Int64] {
        try Validation.limit(count)
        return try await transactions.sample(count: count)
    }

    /// A sampled sighting; nil if it was deleted in the meantime.
    public func sampled(_ row: Int64) async throws -> SampledSighting? { try await transactions.sampled(row) }
}
