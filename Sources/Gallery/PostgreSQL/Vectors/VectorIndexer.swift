import Synchronization

/// Makes the indexes of a database that is searched itself, in the background, once there are so many vectors that comparing all would
/// take long; on one server of those that share it.
///
/// An index is made part by part and partition by partition, and nobody who enrols waits for it; until it is there all are compared.
final class VectorIndexer: Sendable {
    private static let interval = Duration.seconds(5)
    /// An index of many millions takes hours.
    private static let patience = Duration.seconds(7 * 86_400)

    private let schema: VectorSchema
    private let pool: PostgreSQLPool
    private let least: Int
    private let isLeader: @Sendable () -> Bool
    private let loop = ConnectionLoop("database indexing")
    /// The number of the server's process that makes an index now.
    private let process = Mutex<Int64?>(nil)

    /// - Parameter least: how many sightings of one kind make an index worth while.
    init(_ schema: VectorSchema, _ pool: PostgreSQLPool, least: Int, isLeader: @escaping @Sendable () -> Bool) {
        (self.schema, self.pool, self.least, self.isLeader) = (schema, pool, least, isLeader)
    }

    func start() {
        loop.start(
            ConnectionLoop.Work(
                connect: { [pool] in
                    let connection = try pool.connect(patience: Self.patience)
                    // It waits for whoever has begun to read before.
                    try connection.run("SET lock_timeout = 0")
                    return connection
                },
                turn: { [weak self] connection, isStopped in
                    if let self, isLeader() { try turn(connection, isStopped) }
                    ConnectionLoop.pause(Self.interval, isStopped)
                },
                failed: { _ in }, end: { _ in }))
    }

    /// Ends what is under way; it begins anew with the next start.
    func stop() async {
        let ending = Task { [self] in
            while !Task.isCancelled {
                if let process = process.withLock({ $0 }) {
                    _ = try? pool.read { try $0.rows("SELECT pg_cancel_backend(CAST(? AS integer))", [process]) }
                }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
        await loop.stop()
        ending.cancel()
    }

    private func turn(_ connection: PostgreSQLConnection, _ isStopped: () -> Bool) throws {
        let own = try connection.reading { try $0.value(Int64.self, "SELECT pg_backend_pid()") }
        process.withLock { $0 = own }
        defer { process.withLock { $0 = nil } }
        try forget(connection)
        for part in try connection.reading(due) where !isStopped() {
            try make(part, connection)
        }
    }

    /// A part of a layout, by rows.
    private struct Part {
        let layout: Int64
        let part: Int64
        let dimension: Int
    }

    /// Those that have no index, and should.
    private func due(_ db: any SQLSession) throws -> [Part] {
        try db.rows(
            """
            SELECT p.layout_id, p.part, p.dimension FROM vector_part p WHERE p.is_indexed = 0 AND p.dimension <= ?
                AND (SELECT SUM(c.sightings) FROM vector_count c WHERE c.layout_id = p.layout_id) >= ?
            ORDER BY 1, 2
            """, [VectorSchema.largestIndexed, least]
        ).map { Part(layout: $0[0], part: $0[1], dimension: $0[2]) }
    }

    /// Of each partition that is here: a foreign one has its own.
    private func make(_ part: Part, _ connection: PostgreSQLConnection) throws {
        for (table, partition) in try connection.reading(partitions) {
            let name = "\(Self.prefix)\(part.layout)_\(part.part)_\(partition)"
            let isValid = try connection.reading { db in
                try db.value(Bool.self, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(?)", [name])
            }
            if isValid == true { continue }
            if isValid == false { try connection.run("DROP INDEX CONCURRENTLY IF EXISTS \(name)") }
            try connection.run(
                """
                CREATE INDEX CONCURRENTLY \(name) ON \(table)
                USING hnsw ((CAST(unit AS \(schema.type(part.dimension)))) \(schema.schema).halfvec_ip_ops)
                WHERE layout_id = \(part.layout) AND part = \(part.part)
                """)
            try connection.run("ANALYZE \(table)")
        }
        _ = try connection.inTransaction { db in
            try db.execute(
                "UPDATE vector_part SET is_indexed = 1 WHERE layout_id = ? AND part = ?", [part.layout, part.part])
        }
    }

    private static let prefix = "search_hnsw_"

    private func partitions(_ db: any SQLSession) throws -> [(table: String, number: Int)] {
        try db.values(
            String.self,
            """
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = to_regclass('search_vector') AND c.relkind = 'r' ORDER BY 1
            """
        ).enumerated().map { ($1, $0) }
    }

    /// Drops the indexes of models that are gone.
    private func forget(_ connection: PostgreSQLConnection) throws {
        let names = try connection.reading { db in
            try db.values(
                String.self,
                """
                SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = current_schema() AND c.relkind = 'i' AND c.relname LIKE '\(Self.prefix)%'
                    AND split_part(c.relname, '_', 3) NOT IN (SELECT CAST(id AS text) FROM vector_layout)
                """)
        }
        for name in names { try connection.run("DROP INDEX CONCURRENTLY IF EXISTS \(name)") }
    }
}
