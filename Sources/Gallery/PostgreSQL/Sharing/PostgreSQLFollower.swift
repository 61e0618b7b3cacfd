import Synchronization

/// Has a server's indexes follow what all servers of its database commit.
///
/// It waits for the database to notify it of a transaction, on a connection of its own, and asks every second to be certain. Where
/// the log does not have what is missing, all vectors are read anew; until then nothing is answered from the indexes.
final class PostgreSQLFollower: Sendable {
    private static let interval = Duration.seconds(1)
    private static let step = Duration.milliseconds(50)

    private let pool: PostgreSQLPool
    private let progress: IndexProgress
    private let loop = ConnectionLoop("database following")
    /// One reads the log at a time: another would read the same.
    private let turns = Mutex(())

    init(_ pool: PostgreSQLPool, _ progress: IndexProgress) { (self.pool, self.progress) = (pool, progress) }

    /// Follows until the indexes hold a transaction, or else all that is committed. Blocks. Throws `PostgreSQLError` or `GalleryError`.
    func catchUp(to sequence: Int64 = .max) throws {
        if progress.sequence >= sequence { return }
        try turns.withLock { _ in
            while !progress.isStale, progress.sequence < sequence {
                let (start, place) = (ContinuousClock.now, progress.place)
                let batch = try pool.read { db in
                    try ChangeReader(db: db, holdsVectors: progress.indexes.holds).read(after: place)
                }
                guard let batch else { return progress.lose() }
                progress.follow(batch.commits)
                if batch.reaches(place) { return progress.confirm(batch.newest, at: start) }
            }
        }
    }

    /// On a connection that has just been made, as after a failover: whether the history is still the one that the indexes have
    /// followed.
    func verify(_ db: any SQLSession) throws {
        if try ChangeReader(db: db).newest(after: progress.place) == nil { progress.lose() }
    }

    func start() {
        loop.start(
            ConnectionLoop.Work(
                connect: { [pool] in try Self.listen(pool) },
                turn: { [weak self] connection, isStopped in try self?.turn(connection, isStopped) },
                failed: { [weak progress] error in
                    if let error = GalleryError.translated(error) as? GalleryError { progress?.fail(error) }
                },
                end: { _ in }))
    }

    func stop() async { await loop.stop() }

    private static func listen(_ pool: PostgreSQLPool) throws -> PostgreSQLConnection {
        let connection = try pool.connect()
        let channel = try connection.reading { try $0.value(String.self, PostgreSQLSchema.channel) }
        try connection.run("LISTEN \(channel ?? "triptych")")
        return connection
    }

    private func turn(_ connection: PostgreSQLConnection, _ isStopped: () -> Bool) throws {
        if progress.isStale { try reload(isStopped) }
        try catchUp()
        let end = ContinuousClock.now + Self.interval
        while !isStopped(), !progress.isStale, .now < end {
            let told = try connection.awaitNotifications(Self.step).compactMap(Int64.init)
            if let last = told.max(), last > progress.sequence { return }
        }
    }

    /// All vectors, on this thread alone: others answer requests meanwhile.
    private func reload(_ isStopped: () -> Bool) throws {
        let (loaded, place) = (IndexRegistry(), try pool.read { try ChangeReader.place($0) })
        let last = try pool.read { try $0.value(Int64.self, "SELECT MAX(id) FROM embedding") ?? 0 }
        for start in stride(from: 0, through: progress.indexes.holds ? last : -1, by: Int(SQLStore.step)) {
            if isStopped() { return }
            _ = try pool.read { try SQLStore.load($0, into: loaded, start..<start + SQLStore.step) }
        }
        progress.replace(by: loaded, at: place)
    }
}
