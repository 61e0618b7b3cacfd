/// Where databases say the same in other words.
package enum SQLDialect {
    case sqlite, postgresql

    /// The texts of a column with commas between, in their order, of the rows that a condition admits.
    func list(_ column: String, from source: String) -> String {
        switch self {
        // It has no order within an aggregate before 3.44.
        case .sqlite: "(SELECT group_concat(\(column)) FROM (SELECT \(column) FROM \(source) ORDER BY \(column)))"
        case .postgresql: "(SELECT string_agg(\(column), ',' ORDER BY \(column)) FROM \(source))"
        }
    }

    /// Whether a column is in an array that is given as a text; nil where there are no arrays.
    func any(of column: String, place: Int) -> String? {
        self == .sqlite ? nil : "\(column) = ANY (CAST(?\(place) AS bigint[]))"
    }

    /// Selects the last event that there ever was.
    var newestEvent: String {
        switch self {
        case .sqlite: "SELECT seq FROM sqlite_sequence WHERE name = 'event'"
        // A sequence would count what is not committed.
        case .postgresql: "SELECT newest FROM event_floor"
        }
    }

    /// Selects the last number that a table has given.
    func lastNumber(of table: String) -> String {
        switch self {
        case .sqlite: "SELECT seq FROM sqlite_sequence WHERE name = '\(table)'"
        case .postgresql: "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM \(table)_id_seq"
        }
    }

    /// Has a table go on after a number, the one argument of each statement.
    func setNumber(of table: String) -> [String] {
        switch self {
        case .sqlite:
            [
                "DELETE FROM sqlite_sequence WHERE name = '\(table)' AND ? > 0",
                "INSERT INTO sqlite_sequence (name, seq) VALUES ('\(table)', ?)",
            ]
        case .postgresql where table == "event":
            ["SELECT setval('event_id_seq', ?)", "UPDATE event_floor SET newest = ? RETURNING newest"]
        case .postgresql: ["SELECT setval('\(table)_id_seq', ?)"]
        }
    }

    /// When the month of a time begins, both in milliseconds since 1970, in UTC.
    func month(of time: String) -> String {
        switch self {
        case .sqlite: "CAST(strftime('%s', \(time) / 1000, 'unixepoch', 'start of month') AS INTEGER) * 1000"
        case .postgresql:
            """
            CAST(extract(epoch FROM date_trunc('month', to_timestamp(\(time) / 1000) AT TIME ZONE 'UTC')) AS bigint) * 1000
            """
        }
    }
}
