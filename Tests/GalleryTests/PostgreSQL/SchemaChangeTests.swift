import DatabaseFixtures
import Foundation
import Gallery
import Testing

/// A release with other tables beside servers of the one before.
@Suite(
    "Changes of PostgreSQL's tables",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct SchemaChangeTests {
    private let older = "UPDATE triptych_schema SET version = version - 1 RETURNING version"

    @Test("Tables that servers use are not changed: the start is refused, and names these")
    func used() async throws {
        try await withServers(2) { stores, database async throws in
            let (path, version) = (stores[0].path, try database.run(older))
            let names = ["server 0", "server 1"]
            await expectError(.olderServers(path, names: names)) { try await database.open() }
            await expectError(.olderServers(path, names: names)) { try await database.directory.open() }
            #expect(try database.run("SELECT version FROM triptych_schema") == version)
            _ = try await stores[1].enrol(Enrolment(identity: "i", embeddings: [embedding([1, 0])]), in: "g")
            // The connection by which it has the database is made anew when it is needed.
            try await stores[1].close()
            try database.cut(leader: false)
            await expectError(.olderServers(path, names: ["server 0"])) { try await database.open() }
            let error = GalleryError.olderServers(path, names: names)
            #expect("\(error)".contains("(server 0, server 1): stop every server") && !"\(error)".contains("\n"))
        }
    }

    @Test("Whoever has the database and has not said its name keeps its tables as well")
    func nameless() async throws {
        try await withStore(on: [.postgresql]) { store, directory async throws in
            let schema = try #require(directory.database.split(separator: "%3D").last)
            try PostgreSQLServer.shared().run("SET search_path = \(schema); \(older)")
            await expectError(.olderServers(store.path, names: [])) { try await directory.open() }
        }
    }

    @Test("A server that the database has not heard of while a later release changed its tables leaves them alone")
    func returning() async throws {
        try await withServers { stores, database async throws in
            try database.run("UPDATE triptych_schema SET version = 99")
            try database.cut(leader: false)
            try database.cutFollowers()
            await expectError(kind: "newerSchema") {
                try await stores[0].enrol(Enrolment(identity: "i", embeddings: [embedding([1, 0])]), in: "g")
            }
            #expect(try database.run("SELECT COUNT(*) FROM sighting") == "0")
            try await eventually("it follows a later release") {
                guard case .newerSchema(99, _) = stores[1].following.failure else { return false }
                return true
            }
            await expectError(kind: "newerSchema") { try await database.open() }
        }
    }

    @Test("Servers that begin at the same time on an empty database all have it")
    func together() async throws {
        try await DatabaseEngine.postgresql.taking {
            let database = try SharedDatabase()
            let stores = try await withThrowingTaskGroup(of: GalleryStore.self) { group in
                for number in 0..<4 { group.addTask { try await database.open("server \(number)") } }
                return try await group.reduce(into: [GalleryStore]()) { $0.append($1) }
            }
            #expect(Set(try await stores[0].members().map(\.name)).count == 4)
            for store in stores { try await store.close() }
        }
    }
}
