import Documents
import Foundation
import GRDB

/// The connections to a database that this process owns.
struct GalleryConnection {
    let files: DatabaseFiles
    let ownership: DatabaseOwnership
    /// One connection that writes and several that read.
    let pool: DatabasePool
    /// Moves the log into the database, on its own, so that nobody who writes waits for that.
    let log: DatabaseQueue
    let reserve: DiskReserve
    let commits: CommitCounter

    /// Opens the database at a path, makes it if there is none, and brings its schema up to date. With a full disk it gives
    /// up the reserve: an open database needs a little room of its own.
    init(path: String, configuration: GalleryConfiguration) throws {
        files = try DatabaseFiles(path)
        reserve = DiskReserve(files, bytes: configuration.reserveBytes)
        let connect = { [files] in try Self.connect(files, given: path, configuration) }
        do {
            (ownership, pool, log) = try connect()
        } catch let error where Self.isFull(error, files) && reserve.release() {
            (ownership, pool, log) = try connect()
        } catch let error where Self.isFull(error, files) {
            throw GalleryError.full
        }
        commits = try pool.read { [files] db in try CommitCounter(files, db) }
        reserve.restore()
    }

    private static func connect(
        _ files: DatabaseFiles, given path: String, _ configuration: GalleryConfiguration
    ) throws -> (DatabaseOwnership, DatabasePool, DatabaseQueue) {
        if try files.exists() { try inspect(files, configuration) }
        let ownership = try DatabaseOwnership(of: files, given: path)
        if try !files.exists() { try make(files, configuration) }
        files.makePrivate()
        let pool = try DatabasePool(path: files.path, configuration: writing(configuration))
        try pool.writeWithoutTransaction { db in
            // GRDB leaves NORMAL, under which a commit in the log may be lost with the power.
            try db.execute(sql: "PRAGMA synchronous = FULL")
        }
        try keepEarlier(pool, files)
        try Schema.migrator.migrate(pool)
        var options = writing(configuration)
        // It takes the writer's lock to empty the log, and keeps it while it waits.
        options.busyMode = .timeout(min(0.02, configuration.busyTimeout))
        return (ownership, pool, try DatabaseQueue(path: files.path, configuration: options))
    }

    /// Before its schema changes, a database is copied: the way back to the release that wrote it.
    private static func keepEarlier(_ pool: DatabasePool, _ files: DatabaseFiles) throws {
        try pool.read { db in
            let version: Int = try Row.only(db, "PRAGMA user_version", [])[0]
            guard (1..<Schema.version).contains(version) else { return }
            try DatabaseFiles.copy(db, to: "\(files.path).v\(version)")
        }
    }

    /// SQLite says of most of its files only that it could not open or write them.
    private static func isFull(_ error: any Error, _ files: DatabaseFiles) -> Bool {
        switch error {
        case GalleryError.full: true
        case let error as DatabaseError:
            error.resultCode == .SQLITE_FULL
                || [.SQLITE_IOERR, .SQLITE_CANTOPEN].contains(error.resultCode) && files.freeBytes < 1 << 16
        default: false
        }
    }

    /// Read-only, so that a file that is not ours is left as it was.
    private static func inspect(_ files: DatabaseFiles, _ configuration: GalleryConfiguration) throws {
        var options = Configuration()
        options.readonly = true
        options.busyMode = .timeout(configuration.busyTimeout)
        let queue = try DatabaseQueue(path: files.path, configuration: options)
        defer { try? queue.close() }
        try queue.read(Schema.inspect)
    }

    private static func writing(_ configuration: GalleryConfiguration) -> Configuration {
        var options = Configuration()
        options.busyMode = .timeout(configuration.busyTimeout)
        options.maximumReaderCount = max(configuration.readers, 1)
        options.prepareDatabase { db in
            if db.configuration.readonly { return }
            // Takes effect only before the first table is made.
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            // What is deleted is overwritten with zeros.
            try db.execute(sql: "PRAGMA secure_delete = ON")
        }
        return options
    }

    /// Under another name until it is whole, so that an empty file never comes from here.
    private static func make(_ files: DatabaseFiles, _ configuration: GalleryConfiguration) throws {
        let draft = "\(files.path).\(UUID().uuidString).new"
        defer { for suffix in ["", "-journal"] { unlink(draft + suffix) } }
        try DatabaseFiles.createPrivate(draft)
        let queue = try DatabaseQueue(path: draft, configuration: writing(configuration))
        try Schema.migrator.migrate(queue)
        try queue.close()
        // Of a database that is gone: SQLite would take a log for this one's.
        for suffix in ["-wal", "-shm"] { unlink(files.path + suffix) }
        try DurableFile.move(draft, to: files.path)
    }
}
