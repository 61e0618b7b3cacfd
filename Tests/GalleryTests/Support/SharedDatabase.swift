import DatabaseFixtures
import Foundation
import Gallery
import Testing

/// A database that some stores share, each as a server of its own would.
final class SharedDatabase: Sendable {
    let directory: TemporaryDirectory
    /// PostgreSQL's.
    let schema: String

    init() throws {
        directory = try TemporaryDirectory(.postgresql)
        schema = String(try #require(directory.database.split(separator: "%3D").last))
    }

    func open(
        _ name: String = "server", _ change: (inout GalleryConfiguration) -> Void = { _ in }
    ) async throws -> GalleryStore {
        var configuration = GalleryConfiguration()
        (configuration.sharing, configuration.serverName) = (true, name)
        (configuration.readers, configuration.searchThreads) = (4, 2)
        change(&configuration)
        return try await directory.open(configuration)
    }

    /// Runs statements as another program would.
    @discardableResult func run(_ sql: String) throws -> String {
        try PostgreSQLServer.shared().run("SET search_path = \(schema); \(sql)")
    }

    /// Ends the connections by which servers follow each other.
    func cutFollowers() throws {
        try run(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE query = 'LISTEN triptych_' || 'change_log'::regclass::oid
            """)
    }

    /// Ends the connection of the leader, or those that write.
    func cut(leader: Bool) throws {
        try run(
            """
            SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_namespace n
                ON n.nspname = '\(schema)' AND l.objid = ((n.oid::bigint - 2147483648) & 4294967295)::oid
            WHERE l.locktype = 'advisory' AND l.classid = \(leader ? 0x5452_504C : 0x5452_5054)
            """)
    }
}

/// Runs a test on stores that share a database, which has the gallery "g".
func withServers(
    _ count: Int = 2, _ change: (inout GalleryConfiguration) -> Void = { _ in },
    _ body: ([GalleryStore], SharedDatabase) async throws -> Void
) async throws {
    try await DatabaseEngine.postgresql.taking {
        let database = try SharedDatabase()
        var stores: [GalleryStore] = []
        for number in 0..<count { stores.append(try await database.open("server \(number)", change)) }
        _ = try await stores[0].createGallery("g")
        try await body(stores, database)
        for store in stores { try? await store.close() }
    }
}

extension [GalleryStore] {
    /// Waits until all have followed what each has written.
    func meet() async throws {
        let last = map(\.sequence).max() ?? 0
        for store in self { try await store.waitForSequence(last, until: .now + .seconds(240)) }
    }
}
