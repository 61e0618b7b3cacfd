import GRDB

/// The database's layout and its history. A migration that was released is never edited.
enum Schema {
    /// The version this release writes: the number of migrations.
    static let version = 12
    /// "TRPT" in the file's header tells a gallery database from any other SQLite file.
    static let applicationID = 0x5452_5054

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { db in
            try createTables(db)
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = 1")
        }
        migrator.registerMigration("v2") { db in
            try createServingTables(db)
            try db.execute(sql: "PRAGMA user_version = 2")
        }
        migrator.registerMigration("v3", foreignKeyChecks: .immediate) { db in
            try createTallies(db)
            try db.execute(sql: "PRAGMA user_version = 3")
        }
        migrator.registerMigration("v4", foreignKeyChecks: .immediate) { db in
            try createEmbeddings(db)
            try db.execute(sql: "PRAGMA user_version = 4")
        }
        migrator.registerMigration("v5") { db in
            try createErasedSightings(db)
            try createFields(db)
            try createDigests(db)
            try createCorrections(db)
            try db.execute(sql: "PRAGMA user_version = 5")
        }
        migrator.registerMigration("v6") { db in
            try createThresholds(db)
            try db.execute(sql: "PRAGMA user_version = 6")
        }
        migrator.registerMigration("v7") { db in
            try createBoxes(db)
            try db.execute(sql: "PRAGMA user_version = 7")
        }
        migrator.registerMigration("v8") { db in
            try createAccess(db)
            try db.execute(sql: "PRAGMA user_version = 8")
        }
        migrator.registerMigration("v9") { db in
            try createJournal(db)
            try db.execute(sql: "PRAGMA user_version = 9")
        }
        migrator.registerMigration("v10") { db in
            try createAnalyses(db)
            try db.execute(sql: "PRAGMA user_version = 10")
        }
        migrator.registerMigration("v11") { db in
            try createLists(db)
            try db.execute(sql: "PRAGMA user_version = 11")
        }
        migrator.registerMigration("v12") { db in
            try createDistinctions(db)
            try db.execute(sql: "PRAGMA user_version = 12")
        }
        return migrator
    }

    /// Throws unless the database is empty or a gallery database of this version or an earlier one.
    static func inspect(_ db: Database) throws {
        let tables = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
        if tables == 0 { return }
        let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        guard application == applicationID else {
            throw GalleryError.notADatabase("an SQLite database of another application (application_id \(application))")
        }
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let isNewer = try migrator.hasBeenSuperseded(db)
        guard found <= version && !isNewer else {
            throw GalleryError.newerSchema(found: max(found, version + 1), supported: version)
        }
    }
}
