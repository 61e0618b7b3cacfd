import Synchronization

/// Which sightings a server is at, so that others leave them to it: advisory locks, which the database lets go of when the connection
/// ends that took them.
///
/// That is the connection of the server's membership, which ends with its process and after ten seconds of silence, and which another
/// thread has: what is to be done there waits for that, some hundredths of a second.
final class PostgreSQLClaims: Sendable {
    private typealias Errand = @Sendable (Result<PostgreSQLConnection, any Error>) -> Void

    private struct State {
        var errands: [Errand] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    /// The lock of a sighting, by its row `id`. Of rows that are 2³² apart it is the same, which costs nothing but a moment.
    private static let key = "(current_schema()::regnamespace::oid::bigint << 32) | (id & 4294967295)"

    /// Takes some of these rows, as many as wanted, but for those that others have taken. Throws `GalleryError`.
    func take(_ rows: [Int64], most: Int) async throws -> [Int64] {
        try await run { connection in
            try connection.reading { db in
                try db.values(
                    Int64.self,
                    """
                    SELECT id FROM unnest(CAST(? AS bigint[])) AS next (id) WHERE pg_try_advisory_lock(\(Self.key)) LIMIT ?
                    """, [PostgreSQLArray(rows).text, most])
            }
        }
    }

    /// Lets go of rows. Throws `GalleryError`; then the connection has ended, and its locks with it.
    func giveBack(_ rows: [Int64]) async throws {
        if rows.isEmpty { return }
        try await run { connection in
            try connection.reading { db in
                _ = try db.rows(
                    "SELECT COUNT(pg_advisory_unlock(\(Self.key))) FROM unnest(CAST(? AS bigint[])) AS given (id)",
                    [PostgreSQLArray(rows).text])
            }
        }
    }

    private func run<T: Sendable>(
        _ body: @escaping @Sendable (PostgreSQLConnection) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let errand: Errand = { connection in
                continuation.resume(
                    with: Result { try GalleryError.translating { try body(try connection.get()) } })
            }
            let isClosed = state.withLock { state in
                if !state.isClosed { state.errands.append(errand) }
                return state.isClosed
            }
            if isClosed { errand(.failure(GalleryError.closed)) }
        }
    }

    /// Does what waits, on the thread that has the connection.
    func serve(_ connection: PostgreSQLConnection) { for errand in taken() { errand(.success(connection)) } }

    /// There is no connection: what waits has failed.
    func refuse(_ error: any Error) { for errand in taken() { errand(.failure(error)) } }

    /// There will be none any more.
    func close() {
        state.withLock { $0.isClosed = true }
        refuse(GalleryError.closed)
    }

    private func taken() -> [Errand] {
        state.withLock { state in
            defer { state.errands = [] }
            return state.errands
        }
    }
}
