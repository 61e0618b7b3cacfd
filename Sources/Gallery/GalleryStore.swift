import Foundation
import Similarity
import Threads

/// Where a gallery's vectors are searched.
public enum IndexPlacement: String, Sendable, CaseIterable {
    /// In the memory of each server, exactly.
    case memory
    /// In PostgreSQL by its extension pgvector: for galleries that are larger than memory. Large ones are searched by an index, which
    /// finds nearly all of the nearest; scores are exact. Without evaluations and maps.
    case pgvector
}

/// How a store keeps and searches galleries.
public struct GalleryConfiguration: Sendable {
    /// Whether the images of a sighting are stored. Without them a new model cannot re-embed what is enrolled.
    public var keepsImages = true
    /// Seconds to wait for another connection before `GalleryError.busy`.
    public var busyTimeout: TimeInterval = 5
    /// How many connections read at the same time, at least one. They wait for the disk more than for the processor: one
    /// for each core by default, 4 to 32.
    public var readers = min(max(4, ProcessInfo.processInfo.activeProcessorCount), 32)
    /// How many queries are scored at the same time, at least one: by default half the cores, as the encoder needs them too,
    /// and 2 to 32, so that a small search never waits for one large one.
    public var searchThreads = min(max(2, ProcessInfo.processInfo.activeProcessorCount / 2), 32)
    /// Bytes on the disk that are kept back for erasures when it is full; 8 MiB and the largest enrolment are enough for
    /// certain. 0 for none.
    public var reserveBytes = 16 << 20
    /// Where a gallery's vectors are searched.
    public var index = IndexPlacement.memory
    /// In a database that is searched itself: of how many sightings all are compared, and from how many an index is made.
    package var mostCompared = 10_000
    /// Whether other servers may have the same database, which must be PostgreSQL's, at the same time. All must say so.
    public var sharing = false
    /// What others call this server.
    public var serverName = ProcessInfo.processInfo.hostName
    /// For how long changes are kept that all servers have followed.
    package var keptChanges = Duration.seconds(300)
    /// About how many bytes an erasure deletes in its first transaction, and at most sixteen times as many in a later one.
    package var pieceBytes = 1 << 20

    /// The defaults.
    public init() {}
}

/// Galleries of identities, their sightings, images and embeddings, in a database, and an exact search in memory over the
/// embeddings.
///
/// Arguments are validated here, searches run here; what is kept, and how a change of it is whole, is `GalleryTransactions`.
/// Everything that changes the galleries is committed to the disk before its method returns, in one transaction each, and
/// survives the end of the process and the loss of power from then on; every query that starts then sees it. What was erased is
/// hidden in that transaction; its bytes are deleted in the background, see `erasure`.
///
/// One store owns a database, or several share one of PostgreSQL's, see `GalleryConfiguration.sharing`. All methods throw `GalleryError`, or `CancellationError` if their task was cancelled, and none
/// blocks Swift's cooperative pool.
public final class GalleryStore: Sendable {
    /// The most elements that a vector can have here.
    public static let largestDimension = SimilarityBlock.largestDimension

    let transactions: any GalleryTransactions
    let threads: WorkerThreads
    let slices: Int
    let stages = StageWatch()
    /// Counting takes long, and only one at a time a connection that reads.
    let counting = Turns()

    private init(_ transactions: any GalleryTransactions, threads: WorkerThreads, slices: Int) {
        (self.transactions, self.threads, self.slices) = (transactions, threads, slices)
    }

    /// Opens a database, making it if the file does not exist, brings its schema up to date and loads its embeddings.
    /// Erasures that were not finished go on.
    ///
    /// Throws `GalleryError.notADatabase` for any other file, an empty one included, and `.newerSchema` for a database of a
    /// later release, both before anything is written, `.inUse` if it is open already by any of its names and not shared, and `.storage` if
    /// the path cannot be opened. O(embeddings · dimension).
    public static func open(
        path: String, configuration: GalleryConfiguration = GalleryConfiguration()
    ) async throws -> GalleryStore {
        let threads = WorkerThreads("search", count: configuration.searchThreads)
        let engine = try await engine(path, configuration, threads: threads)
        return GalleryStore(
            try await SQLStore.open(engine, configuration, threads: threads),
            threads: threads, slices: configuration.searchThreads)
    }

    /// Whether a database's name is the address of a server, rather than a file's path.
    public static func isAddress(_ path: String) -> Bool { PostgreSQLAddress.isAddress(path) }

    /// Throws `GalleryError.invalid` for an address that cannot be one; connects to nothing.
    public static func checkAddress(_ path: String) throws(GalleryError) { _ = try PostgreSQLAddress(path) }

    /// What keeps the rows of a database.
    static func engine(
        _ path: String, _ configuration: GalleryConfiguration, threads: WorkerThreads
    ) async throws -> any SQLEngine {
        try await GalleryError.translating {
            try await threads.run {
                if PostgreSQLAddress.isAddress(path) {
                    return try PostgreSQLEngine(PostgreSQLAddress(path), configuration: configuration)
                }
                try Validation.require(
                    configuration.index == .memory, "gallery.index", "memory for a database that is a file",
                    configuration.index.rawValue)
                try Validation.require(
                    !configuration.sharing, "sharing", "a PostgreSQL database, which servers can share", "a file")
                return try SQLiteEngine(path: path, configuration: configuration, threads: threads)
            }
        }
    }

    /// Closes the database; every later call fails. Waits for calls in progress. Erasures that would take longer than a
    /// moment go on when the database is next opened.
    public func close() async throws { try await transactions.close() }

    /// The database's file, whatever links lead to it.
    public var path: String { transactions.path }
    /// What the start found to be wrong.
    public var damage: GalleryDamage { transactions.damage }
    /// How far the erasures are that have been asked for.
    public var erasure: ErasureStatus { transactions.erasure }
    /// What the database takes on its disk. Asks the file system, and so blocks for a moment.
    public var storage: StorageStatus { transactions.storage }
    /// Searches that wait for a thread, and those that run.
    package var searchLoad: (waiting: Int, running: Int) { threads.load }
    /// Jobs, verified checkpoints, and which model is active: what a server writes down beside the galleries.
    public var ledger: any ServerLedger { transactions }

    /// Writes a consistent copy of the whole database while it stays in use; only its owner can read it. The copy is on the
    /// disk before it takes its name, so a file of that name is always a whole one; an earlier one is replaced.
    ///
    /// One read of the database from beginning to end, so what is enrolled meanwhile neither waits nor begins it anew; it
    /// is not in the copy. Throws `.full` or `.storage`; then nothing is left of it.
    public func backup(to path: String) async throws { try await transactions.backup(to: path) }

    /// Checks every page, constraint and foreign key. Throws `.storage` with what is broken. O(size of the database).
    public func checkIntegrity() async throws { try await transactions.checkIntegrity() }

    /// Has `observer` told of each stage that succeeds, in the task of who asked for it; nobody else is told any more.
    package func watch(
        _ observer: @escaping @Sendable (GalleryStage, ContinuousClock.Instant, ContinuousClock.Instant) -> Void
    ) {
        stages.tell(observer)
    }

    /// Whether a commit waits until the disk has it.
    package func isDurable() async throws -> Bool { try await transactions.isDurable() }
}

extension GalleryStore {
    /// The last event that was committed: whoever has been told it need not ask for more. O(1).
    public var lastEvent: Int64 { transactions.lastEvent }

    /// The events after one, in order: those of some hundred that a filter admits, and where to go on. Those of what was erased are
    /// not there any more. Throws `GalleryError.invalid`.
    public func events(after last: Int64, _ filter: EventFilter = EventFilter()) async throws -> EventBatch {
        try filter.validate()
        return try await transactions.events(after: last, filter)
    }

    /// Forgets events that are older; whoever has not been told them is told that there is a gap.
    public func forgetEvents(before time: Date) async throws { try await transactions.forgetEvents(before: time) }
}
