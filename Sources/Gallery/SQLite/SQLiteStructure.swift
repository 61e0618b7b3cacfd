/// What SQLite says of a file that is its.
enum SQLiteStructure {
    /// Every page, and every reference to a row.
    static func examine(_ db: any SQLSession, _ report: inout GalleryCheck.Report) throws {
        try db.forEach("PRAGMA integrity_check", []) { row in
            let finding: String = row[0]
            guard finding != "ok" else { return }
            report.add("pages", finding, repair: finding.contains("index") ? "make the indexes anew" : nil)
        }
        try db.forEach("PRAGMA foreign_key_check", []) { row in
            report.add("references", "row \(row[1] as Int64? ?? 0) of \(row[0] as String) belongs to nothing")
        }
    }
}
