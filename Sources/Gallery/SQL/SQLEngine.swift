import Threads

/// A database that speaks SQL: how its transactions come about.
///
/// Transactions that write follow each other: each sees what the one before it has left, whoever wrote that. All methods throw
/// `GalleryError` or `CancellationError`, and none blocks Swift's cooperative pool but `readNow`.
protocol SQLEngine: Sendable {
    /// The indexes that follow what is committed, and how far they are.
    var progress: IndexProgress { get }
    /// Whether it is this server that does what one server does for all.
    var isLeader: Bool { get }
    /// Where it is, without secrets.
    var path: String { get }
    var erasure: ErasureStatus { get }
    var storage: StorageStatus { get }
    /// How many transactions the database has lost that were committed, as far as that can be told.
    var lostCommits: Int { get }

    /// Has its vectors ready to be searched. Says which cannot be used.
    func load(_ threads: WorkerThreads, slices: Int) async throws -> DamagedVectors
    /// What finds a gallery's sightings, by the models that have vectors there.
    func searches(of gallery: Int64, _ db: any SQLSession) throws -> [String: any SightingSearch]

    /// Reads that see one moment.
    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T
    /// The same on the calling thread, which is none of the cooperative pool.
    func readNow<T>(_ body: (any SQLSession) throws -> T) throws -> T
    /// A transaction: durable when this returns. `body` may run twice.
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T
    /// One that deletes, or marks what is to be deleted; the rest follows in the background.
    func erase<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T
    /// Once the indexes are loaded: begins to follow what others write, and goes on with erasures that were not finished.
    func begin() async throws

    /// Has the indexes follow all that is committed by now. False if they had nothing to follow.
    @discardableResult func follow() async throws -> Bool
    /// Servers that share the database; none where there can be only one.
    func members() async throws -> [GalleryMember]
    /// What they share beside it, and as whom this one does; nil as above.
    var sharing: SharedEngine? { get }

    func backup(to path: String) async throws
    func checkIntegrity() async throws
    func isDurable() async throws -> Bool
    func close() async throws
}

/// A server among others.
struct SharedEngine: Sendable {
    /// Its `GalleryMember.id`.
    let member: String
    /// Its `GalleryMember.name`.
    let name: String
    let files: PostgreSQLSharedFiles
    /// Takes locks that end with it.
    let claims: PostgreSQLClaims
}

extension SQLEngine {
    var sharing: SharedEngine? { nil }

    func load(_ threads: WorkerThreads, slices: Int) async throws -> DamagedVectors {
        try await SQLStore.load(self, threads, slices: slices)
    }

    func searches(of gallery: Int64, _ db: any SQLSession) throws -> [String: any SightingSearch] {
        indexes.searches(of: gallery)
    }

    var indexes: IndexRegistry { progress.indexes }
    var events: EventCounter { progress.events }
}
