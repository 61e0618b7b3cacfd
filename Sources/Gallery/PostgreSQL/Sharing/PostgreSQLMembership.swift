import Foundation
import Synchronization

/// Says that a server of a database is there and how far it is, and has one of them be the leader: which does what one does for all.
///
/// Whoever has a lock on a connection of its own may lead. The database ends the connection if it has not heard of the server for
/// ten seconds; the server believes in its lead for six after the last answer, and whoever gets the lock waits until nobody else
/// can believe in it any more: so there are never two, whichever of them is cut off.
final class PostgreSQLMembership: Sendable {
    private struct State {
        var hasLock = false
        var isLeader = false
        /// When the database last answered.
        var contact: ContinuousClock.Instant?
        /// Whoever has lost the lead lets others try first.
        var triesFrom = ContinuousClock.now
        var tidiesFrom = ContinuousClock.now
    }

    private static let interval = Duration.seconds(1)
    private static let patience = Duration.seconds(4)
    private static let step = Duration.milliseconds(50)
    private static let belief = Duration.seconds(6)
    private static let mostIdle = Duration.seconds(10)
    private static let givesWay = Duration.seconds(3)
    private static let tidying = Duration.seconds(5)

    /// In milliseconds: how long a member that says nothing is taken to be there, if its connection is and if not; how long it keeps
    /// others from forgetting what it has not followed; and how long it is remembered.
    private static let (silent, cutOff, gone, forgotten) = (15_000, 2500, 60_000, 600_000)

    let id = UUID().uuidString
    private let name: String
    private let pool: PostgreSQLPool
    private let progress: IndexProgress
    private let loop = ConnectionLoop("database membership")
    private let state = Mutex(State())
    /// What the member is at, by its connection.
    let claims = PostgreSQLClaims()
    /// Milliseconds.
    private let keptChanges: Int

    /// Becomes a member, on the calling thread: from then on nobody forgets what it has still to follow.
    init(_ pool: PostgreSQLPool, _ progress: IndexProgress, _ configuration: GalleryConfiguration) throws {
        (self.pool, self.progress, name) = (pool, progress, configuration.serverName)
        keptChanges = Int(configuration.keptChanges / .milliseconds(1))
        let connection = try Self.connect(pool, as: id)
        try turn(connection)
        loop.start(
            with: connection,
            ConnectionLoop.Work(
                connect: { [pool, id] in try Self.connect(pool, as: id) },
                turn: { [weak self] connection, isStopped in
                    let end = ContinuousClock.now + Self.interval
                    // Notices at once that the connection has ended.
                    while !isStopped(), .now < end {
                        _ = try connection.awaitNotifications(Self.step)
                        self?.claims.serve(connection)
                    }
                    if !isStopped() { try self?.turn(connection) }
                },
                failed: { [weak self] error in
                    self?.set(hasLock: false, isLeader: false)
                    self?.claims.refuse(GalleryError.translated(error))
                },
                end: { [weak self, id] connection in
                    self?.set(hasLock: false, isLeader: false)
                    _ = try connection.inTransaction { try $0.execute("DELETE FROM member WHERE id = ?", [id]) }
                }))
    }

    var isLeader: Bool {
        state.withLock { state in
            state.isLeader && state.contact.map { ContinuousClock.now - $0 < Self.belief } == true
        }
    }

    /// Ends the membership, and the lead.
    func stop() async {
        await loop.stop()
        claims.close()
        set(hasLock: false, isLeader: false)  // Where there was no connection.
    }

    private static func connect(_ pool: PostgreSQLPool, as id: String) throws -> PostgreSQLConnection {
        let connection = try pool.connect(patience: patience)
        try connection.run("SET idle_session_timeout = \(Int(mostIdle / .milliseconds(1)))")
        try PostgreSQLSchema.join(connection, as: id)
        return connection
    }

    private func turn(_ connection: PostgreSQLConnection) throws {
        let start = ContinuousClock.now
        let (hadLock, mayTry) = state.withLock { ($0.hasLock, $0.triesFrom <= start) }
        let hasLock = try hadLock || mayTry && PostgreSQLSchema.lead(connection)
        let isLeader = try connection.inTransaction { db in
            let isLeader = try hasLock && isFree(db)
            try sayHere(db, isLeader: isLeader)
            return isLeader
        }
        state.withLock { $0.contact = start }
        set(hasLock: hasLock, isLeader: isLeader)
        if isLeader, state.withLock({ $0.tidiesFrom <= start }) {
            try tidy(connection)
            state.withLock { $0.tidiesFrom = start + Self.tidying }
        }
    }

    private func set(hasLock: Bool, isLeader: Bool) {
        let hasChanged = state.withLock { state in
            defer { (state.hasLock, state.isLeader) = (hasLock, isLeader) }
            if state.hasLock && !hasLock { state.triesFrom = .now + Self.givesWay }
            return state.isLeader != isLeader
        }
        if hasChanged { progress.news.tell([.leadership]) }
    }

    /// Whether no other can believe any more that it leads.
    private func isFree(_ db: any SQLSession) throws -> Bool {
        try db.value(
            Bool.self,
            """
            SELECT EXISTS (SELECT 1 FROM member WHERE is_leader = 1 AND id <> ? AND last_seen > \(PostgreSQLSchema.now) - ?)
            """, [id, Int(Self.belief / .milliseconds(1))]) == false
    }

    private func sayHere(_ db: any SQLSession, isLeader: Bool) throws {
        try db.execute(
            """
            INSERT INTO member VALUES (?, ?, \(PostgreSQLSchema.now), \(PostgreSQLSchema.now), ?, ?)
            ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen, sequence = excluded.sequence,
                is_leader = excluded.is_leader
            """, [id, name, progress.sequence, isLeader])
    }

    /// Tries again later what a long transaction holds up.
    private func tidy(_ connection: PostgreSQLConnection) throws {
        do { try connection.inTransaction(forget) } catch let error as PostgreSQLError where !error.isLost {}
    }

    /// Forgets members that have ended without a word, and changes that all have followed.
    private func forget(_ db: any SQLSession) throws {
        try db.execute("SET LOCAL lock_timeout = 500")
        try db.execute("DELETE FROM member WHERE last_seen < \(PostgreSQLSchema.now) - \(Self.forgotten)")
        try db.execute(
            """
            WITH gone AS (
                DELETE FROM change_log WHERE created_at <= \(PostgreSQLSchema.now) - ? AND sequence <= (
                    SELECT MIN(sequence) FROM member WHERE last_seen >= \(PostgreSQLSchema.now) - \(Self.gone))
                RETURNING sequence)
            UPDATE total SET log_floor = GREATEST(log_floor, (SELECT MAX(sequence) FROM gone))
            WHERE EXISTS (SELECT 1 FROM gone)
            """, [keptChanges])
    }

    /// Those that are there, and those that have not been forgotten yet, in order of their beginning. Of a process that was killed the
    /// connection ends at once; a living one that has lost it says before long, by another, that it is there.
    static func all(_ db: any SQLSession) throws -> [GalleryMember] {
        let rows = try db.rows(
            """
            SELECT m.*, last_seen >= \(PostgreSQLSchema.now) - CAST(CASE WHEN \(PostgreSQLSchema.isConnected) THEN \(silent)
                ELSE \(cutOff) END AS bigint) AS is_live
            FROM member m ORDER BY started_at, id
            """)
        return rows.map { row in
            GalleryMember(
                id: row["id"], name: row["name"], startedAt: Date(milliseconds: row["started_at"]),
                lastSeen: Date(milliseconds: row["last_seen"]), sequence: row["sequence"],
                isLeader: row["is_leader"], isLive: row["is_live"])
        }
    }

    /// What those are called who have said lately that they are there, of whichever release; none where the tables know no members yet.
    static func names(_ db: any SQLSession) throws -> [String] {
        let table = "to_regclass(quote_ident(current_schema()) || '.member')"
        guard try db.value(Bool.self, "SELECT \(table) IS NOT NULL") == true else { return [] }
        return try db.values(
            String.self,
            "SELECT name FROM member WHERE last_seen >= \(PostgreSQLSchema.now) - \(silent) ORDER BY started_at, id")
    }
}
