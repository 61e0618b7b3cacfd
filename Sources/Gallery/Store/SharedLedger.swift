/// What servers that share a database write down for each other: files, and which model they get ready. All throw `GalleryError`
/// or `CancellationError`.
public protocol SharedLedger: Sendable {
    /// This server's `GalleryMember.id`.
    var member: String { get }

    /// All files, by name.
    func sharedFiles() async throws -> [SharedFile]
    /// Puts a file in, in pieces, each committed alone, so that nothing else waits for it; where it was begun before, it goes on
    /// after the pieces that are there. Of a file that is whole already nothing is done; one that was withdrawn comes back.
    ///
    /// Throws `.invalid` if the file is not what was begun under the name, `.storage` if it cannot be read, and `CancellationError`
    /// if it is withdrawn meanwhile.
    func share(_ name: String, from path: String) async throws
    /// Gets a file, which has its name only once all of it is on the disk, and checks its digest.
    ///
    /// Throws `.storage` for bytes that are not those that were put in, or a path that cannot be written, and `.full`.
    /// - Returns: whether there is such a file.
    @discardableResult func fetch(_ name: String, to path: String) async throws -> Bool
    /// Deletes a file's bytes, and writes down that it is not wanted any more, whether it was shared or not.
    func withdraw(_ name: String) async throws
    /// Deletes a file, and all that is known of it.
    func forget(_ name: String) async throws

    /// Which model answers, and which one gets ready.
    func modelPlan() async throws -> ModelPlan
    /// Has every server get a model ready. Of a job's that takes enrolments already, it goes on to.
    func nominate(_ candidate: ModelPlan.Candidate) async throws
    /// There is no candidate any more, if it is a job's.
    func withdrawCandidate(of job: String) async throws
    /// Says what this server has made of the candidate.
    func prepared(_ model: String, failure: String?) async throws
    /// The next sightings that the candidate has not embedded, with their images, as many as fit 64 MiB but at least one, without
    /// those that another server has taken. From now on they are this server's, until it gives them back or its membership's
    /// connection ends; none if there are none after the key.
    ///
    /// - Parameters:
    ///   - limit: how many at most, 1–1000.
    ///   - key: a `PendingSighting.key` to go on after; 0 at first.
    func takePending(_ candidate: ModelPlan.Candidate, limit: Int, after key: Int64) async throws -> [PendingSighting]
    /// Lets others take what was taken.
    func giveBack(_ sightings: [PendingSighting]) async
    /// Adds what the candidate has made of sightings, as `GalleryStore.addEmbeddings` does, and counts them to this server's share.
    /// Throws `CancellationError` if it is not the job's candidate any more.
    @discardableResult func add(_ additions: [EmbeddingAddition], of candidate: ModelPlan.Candidate) async throws -> Int
    /// How many sightings each server has embedded of a job's candidate, by the servers' names. Known until another job's is nominated.
    func shares(of job: String) async throws -> [String: Int]
    /// The last sighting if the model has embedded it and all before it, 0 if there is none; nil if something is lacking. O(sightings).
    func embeddedPlace(of model: String) async throws -> Int64?
    /// Makes the candidate the active model, as `ServerLedger.activate` does, and ends its job.
    ///
    /// Nothing may be lacking by then: what an `embeddedPlace` has not seen is looked at here. Throws `CancellationError` if the job
    /// has ended meanwhile. O(sightings after the place).
    /// - Returns: false if something is lacking; then nothing has changed.
    func activate(
        _ candidate: ModelPlan.Candidate, embeddedTo place: Int64, finishing job: JobRecord,
        moving shift: ThresholdShift?
    ) async throws -> Bool
}

extension GalleryStore {
    /// What servers of one database write down for each other; nil for a database that one server has alone.
    public var sharedLedger: (any SharedLedger)? { transactions.sharedLedger }
}
