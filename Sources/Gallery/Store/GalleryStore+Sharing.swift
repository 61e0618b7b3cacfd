/// Several servers of one database. Every transaction has a number in the order of commits, which is the same for all of them; a
/// server's index holds what was committed up to one.
extension GalleryStore {
    /// The last transaction that this server's index holds, and all before it: after a write of this server at least the write's
    /// own. O(1).
    public var sequence: Int64 { transactions.progress.sequence }

    /// Returns once this server's index holds a transaction and all before it. Throws `GalleryError.behind` if it does not by a
    /// time, and `CancellationError`.
    public func waitForSequence(_ sequence: Int64, until deadline: ContinuousClock.Instant) async throws {
        if self.sequence >= sequence { return }
        try await transactions.progress.wait(for: sequence, until: deadline)
    }

    /// How far this server's index is behind. One that has not followed for ten seconds, or is loaded anew because what it has to
    /// follow is not kept any more, does not answer: searches throw `GalleryError.unavailable`. So what was erased is in no index
    /// that answers ten seconds later. Before that it is left out of the answers, as these are told from the database.
    public var following: FollowingStatus { transactions.progress.status }

    /// Throws `GalleryError.unavailable` if searches would, because the index may be too old.
    public func requireCurrent() throws(GalleryError) { try transactions.progress.requireCurrent() }

    /// Whether this server does what one does for all: at most one of those that share a database is the leader, and there is one
    /// some seconds after the last has ended or was cut off. Always true where there can be only one. O(1).
    public var isLeader: Bool { transactions.isLeader }

    /// The servers that share the database, in order of their beginning; none where there can be only one.
    public func members() async throws -> [GalleryMember] { try await transactions.members() }

    /// Has `observer` told, on a thread that must not be held up, when another server may have changed what this one holds in
    /// memory, and when this one becomes the leader or is it no more.
    public func observe(_ observer: @escaping @Sendable (ServerNews) -> Void) {
        transactions.progress.news.add(observer)
    }
}

extension GalleryStore {
    /// See `VectorIndex.contents`; none of a gallery that a model has no vectors of. Throws `.notFound`.
    package func indexContents(of gallery: String, model: String) async throws -> [String] {
        let scope = try await transactions.scopes([QueryFilter()], in: gallery)[0]
        return transactions.indexes.index(gallery: scope.gallery, model: model)?.contents ?? []
    }
}
