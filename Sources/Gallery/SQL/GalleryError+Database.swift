import Documents
import Foundation
import GRDB

extension GalleryError {
    /// Runs `work` and gives every failure but cancellation as a `GalleryError`.
    static func translating<T>(_ work: () async throws -> T) async throws -> T {
        do { return try await work() } catch { throw translated(error) }
    }

    /// The same of work that waits for nothing.
    static func translating<T>(_ work: () throws -> T) throws -> T {
        do { return try work() } catch { throw translated(error) }
    }

    static func translated(_ error: any Error) -> any Error {
        switch error {
        case is GalleryError, is CancellationError: error
        case let error as DatabaseError: GalleryError(error)
        case let error as PostgreSQLError: GalleryError(error)
        case let error as FileError: GalleryError(error)
        default: GalleryError.storage("\(error)")
        }
    }

    /// Only a full disk is `full`: what cannot be opened, read or written for another reason says so.
    init(_ error: FileError) {
        self = [ENOSPC, EDQUOT].contains(error.code) ? .full : .storage("\(error)")
    }
}
