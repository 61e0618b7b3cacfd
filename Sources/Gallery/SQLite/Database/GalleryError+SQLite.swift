import GRDB

extension GalleryError {
    /// The SQL and its arguments stay out of the message: they hold the user's data.
    init(_ error: DatabaseError) {
        let message = "\(error.message ?? "unknown") (SQLite \(error.extendedResultCode.rawValue))"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
        // The second is of the index to the log, which could not be made longer.
        case .SQLITE_FULL: self = .full
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE: self = .full
        case .SQLITE_NOTADB: self = .notADatabase(message)
        default: self = .storage(message)
        }
    }
}
