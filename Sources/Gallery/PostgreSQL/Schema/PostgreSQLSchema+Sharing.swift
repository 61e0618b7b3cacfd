extension PostgreSQLSchema {
    /// What servers of one database tell each other.
    ///
    /// Every transaction of a server that shares the database has a row in `change_log`, under the number that `total.commits` has
    /// given it; `total.log_floor` is the last transaction that has none, because a server alone has written it, or because all
    /// have followed it. A member says now and then that it is there, and how far it is.
    static let sharing =
        [
            "ALTER TABLE total ADD COLUMN log_floor bigint NOT NULL DEFAULT 0",
            "UPDATE total SET log_floor = commits",
            """
            CREATE TABLE change_log (
                sequence bigint PRIMARY KEY,
                name text COLLATE "C" NOT NULL,
                created_at bigint NOT NULL,
                changes text NOT NULL
            )
            """,
            """
            CREATE TABLE member (
                id text COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
                name text NOT NULL,
                started_at bigint NOT NULL,
                last_seen bigint NOT NULL,
                sequence bigint NOT NULL,
                is_leader bigint NOT NULL CHECK (is_leader IN (0, 1))
            )
            """,
        ]
        + trigger(
            "change_logged", "AFTER INSERT ON change_log",
            "PERFORM pg_notify('triptych_' || TG_RELID, NEW.sequence::text);")

    /// Selects the channel on which each transaction is notified of.
    static let channel = "SELECT 'triptych_' || CAST(CAST('change_log' AS regclass) AS oid)"

    /// Milliseconds since 1970 by the database's clock, which all its servers share.
    static let now = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
}
