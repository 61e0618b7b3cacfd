import Foundation
import GRDB

extension GalleryError {
    /// Runs `work` and gives every failure but cancellation as a `GalleryError`.
    static func translating<T>(_ work: () async throws -> T) async throws -> T {
        do {
            return try await work()
        } catch let error as GalleryError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch let error as DatabaseError {
            throw GalleryError(error)
        } catch {
            throw GalleryError.storage("\(error)")
        }
    }

    /// The SQL and its arguments stay out of the message: they hold the user's data.
    init(_ error: DatabaseError) {
        let message = "\(error.message ?? "unknown") (SQLite \(error.extendedResultCode.rawValue))"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
        case .SQLITE_FULL: self = .full
        case .SQLITE_NOTADB: self = .notADatabase(message)
        default: self = .storage(message)
        }
    }
}
