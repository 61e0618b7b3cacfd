import Foundation
import Threads

/// The keys of a database that no server has open: how the first one is made, and the way back in when none is left.
public struct AccessKeyFile: Sendable {
    private let engine: any SQLEngine

    /// Opens the database at a path or address, makes it if there is none, and brings its schema up to date; loads no vectors.
    ///
    /// Throws `GalleryError`, `.inUse` if a server has it open.
    public init(path: String) async throws {
        engine = try await GalleryStore.engine(
            path, GalleryConfiguration(), threads: WorkerThreads("keys", count: 1))
    }

    /// Makes a key. Its token is told this once. Throws `GalleryError`.
    public func create(_ key: NewAccessKey) async throws -> (key: AccessKey, token: AccessToken) {
        let made = try key.issue()
        try await engine.write { try AccessKeyRows.insert(made.key, $0) }
        return made
    }

    /// Every key that was made, in order. Throws `GalleryError`.
    public func all() async throws -> [AccessKey] { try await engine.read { try AccessKeyRows.all($0) } }

    /// Makes a key useless for ever. Throws `GalleryError.notFound`.
    public func revoke(_ id: String) async throws -> AccessKey {
        try await engine.write { try AccessKeyRows.revoke(id, at: Date(), $0) }
    }

    /// Closes the database.
    public func close() async throws { try await engine.close() }
}
