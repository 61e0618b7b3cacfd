/// The database's layout and its history. A migration that was released is never edited.
enum PostgreSQLSchema {
    /// Each takes the database from the version before it.
    private static let migrations: [[String]] = [
        tables + tallies + fields + journal, sharing + sharedFiles, sharedEmbedding,
    ]
    /// The version this release writes.
    static var version: Int { migrations.count }
    /// The oldest server that has what the statements take.
    private static let oldestServer = 150_000
    /// Advisory locks of a schema. "TRPT": who has the database.
    private static let lock = 0x5452_5054
    /// "TRPL": who is the leader of those who share it.
    private static let leaderLock = 0x5452_504C
    /// "TRPA": which members are connected.
    private static let memberLock = 0x5452_5041
    /// "TRPM": who changes its tables.
    static let migrationLock = 0x5452_504D

    /// Takes the database, makes the tables if there are none, and brings them up to date, one server at a time. Throws
    /// `GalleryError.notADatabase` for a schema with other tables, `.newerSchema` for one of a later release, and `.olderServers` where
    /// tables that others use would have to change, all before anything is written, and `.inUse` as `own` does.
    static func prepare(_ connection: PostgreSQLConnection, _ address: PostgreSQLAddress, isShared: Bool) throws {
        try inspectServer(connection, address)
        try connection.inTransaction { db in
            // Another's changes may take long: it waits as long as for any answer.
            try connection.run("SET LOCAL lock_timeout = 0")
            _ = try db.rows(call("pg_advisory_xact_lock", migrationLock))
            var found = try inspect(db, address)
            if found > 0 && found < version { try requireNobody(db, address) }
            while found < version {
                for statement in migrations[found] { try connection.run(statement) }
                found += 1
                try db.execute("UPDATE triptych_schema SET version = ?", [found])
            }
            try own(db, address, isShared: isShared)
        }
    }

    /// Keeps servers from the database until the transaction ends. Throws `GalleryError.olderServers` if one has it, or has said a moment
    /// ago that it is there: its connection may be about to be made anew.
    private static func requireNobody(_ db: any SQLSession, _ address: PostgreSQLAddress) throws {
        let isFree = try take(lock, by: "pg_try_advisory_xact_lock", db)
        let names = try PostgreSQLMembership.names(db)
        guard isFree && names.isEmpty else { throw GalleryError.olderServers(address.text, names: names) }
    }

    /// Of the tables that there are. Throws `GalleryError.newerSchema` if a later release has changed them: before the start, or since,
    /// as it may once the database has not heard of this server for a while.
    static func knownVersion(_ db: any SQLSession) throws -> Int {
        let found: Int = try db.only("SELECT version FROM triptych_schema")[0]
        guard found <= version else { throw GalleryError.newerSchema(found: found, supported: version) }
        return found
    }

    private static func inspectServer(_ connection: PostgreSQLConnection, _ address: PostgreSQLAddress) throws {
        guard connection.serverVersion >= oldestServer else {
            throw GalleryError.notADatabase(
                "\(address.text) is PostgreSQL \(connection.serverVersion / 10_000), expected 15 or later")
        }
        let row = try connection.reading { try $0.only("SELECT getdatabaseencoding(), current_schema()") }
        guard row[0] == "UTF8" else {
            throw GalleryError.notADatabase("\(address.text) has the encoding \(row[0] as String), expected UTF8")
        }
        guard !row.isNull(1) else {
            throw GalleryError.notADatabase("\(address.text) has no schema that its search_path names")
        }
    }

    /// The version of the tables; 0 if there are none.
    private static func inspect(_ db: any SQLSession, _ address: PostgreSQLAddress) throws -> Int {
        let tables = try db.values(
            String.self,
            """
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1
            """)
        if tables.isEmpty { return 0 }
        guard tables.contains("triptych_schema") else {
            throw GalleryError.notADatabase(
                "\(address.text) has tables of another application (\(tables.prefix(3).joined(separator: ", ")))")
        }
        return try knownVersion(db)
    }

    /// Takes the database for as long as the connection lasts: alone, or among others that share it. Throws `GalleryError.inUse`.
    static func own(_ db: any SQLSession, _ address: PostgreSQLAddress, isShared: Bool) throws {
        let function = isShared ? "pg_try_advisory_lock_shared" : "pg_try_advisory_lock"
        guard try take(lock, by: function, db) else { throw GalleryError.inUse(address.text) }
    }

    /// Whether the connection's server is the leader from now on, for as long as the connection lasts.
    static func lead(_ connection: PostgreSQLConnection) throws -> Bool {
        try connection.reading { try take(leaderLock, by: "pg_try_advisory_lock", $0) }
    }

    /// Has others see for as long as the connection lasts that a member is there.
    static func join(_ connection: PostgreSQLConnection, as member: String) throws {
        try connection.reading { db in
            _ = try db.rows(
                "SELECT pg_advisory_lock_shared(\(memberLock), CAST(\(number(of: "CAST(? AS text)")) AS integer))",
                [member])
        }
    }

    /// Whether a row `m` of `member` is of one that is connected.
    static let isConnected = """
        EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = \(memberLock) AND l.objsubid = 2
            AND CAST(l.objid AS bigint) = CAST(\(number(of: "m.id")) AS bigint)
            AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
        """

    /// The first 32 bits of an identifier.
    private static func number(of id: String) -> String { "CAST('x' || left(\(id), 8) AS bit(32))" }

    private static func take(_ lock: Int, by function: String, _ db: any SQLSession) throws -> Bool {
        try db.value(Bool.self, call(function, lock)) == true
    }

    /// Of a lock of the schema, whose number is unsigned.
    static func call(_ function: String, _ lock: Int) -> String {
        """
        SELECT \(function)(\(lock), (oid::bigint - 2147483648)::integer)
        FROM pg_namespace WHERE nspname = current_schema()
        """
    }
}
