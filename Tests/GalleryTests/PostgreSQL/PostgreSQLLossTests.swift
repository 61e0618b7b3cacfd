import DatabaseFixtures
import Foundation
import Gallery
import Testing

/// Connections that are lost.
@Suite(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct PostgreSQLLossTests {
    /// Ends all connections of a store.
    private func cut(_ directory: TemporaryDirectory) throws {
        let schema = try #require(directory.database.split(separator: "%3D").last)
        try PostgreSQLServer.shared().run(
            """
            SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_namespace n
                ON n.nspname = '\(schema)' AND l.objid = ((n.oid::bigint - 2147483648) & 4294967295)::oid
            WHERE l.locktype = 'advisory' AND l.classid = 1414680660
            """)
    }

    private func enrol(_ name: String, _ store: GalleryStore) async throws {
        _ = try await store.enrol(Enrolment(identity: name, embeddings: [embedding([1, 0])]), in: "g")
    }

    @Test("A connection that was cut while it was idle is made anew, and nobody notices")
    func idle() async throws {
        try await withStore(on: [.postgresql]) { store, directory in
            for round in 0..<5 {
                try cut(directory)
                try await enrol("i\(round)", store)
                #expect(try await store.gallery("g").identities == round + 1)
            }
            #expect(try await store.query(GalleryQuery(embedding: embedding([1, 0])), in: "g").matches.count == 5)
        }
    }

    @Test(
        "An enrolment whose commit was answered by nobody is acknowledged once the database is there again, and is there once"
    )
    func lostAnswer() async throws {
        let database = try PostgreSQLServer.alone()
        for sharing in [false, true] {
            try await DatabaseEngine.postgresql.taking {
                var configuration = GalleryConfiguration()
                (configuration.sharing, configuration.busyTimeout) = (sharing, 60)
                try database.run("CREATE SCHEMA s\(sharing)")
                let store = try await GalleryStore.open(
                    path: database.address(schema: "s\(sharing)"), configuration: configuration)
                _ = try await store.createGallery("g")
                // A standby that never comes: commits are on the disk, and nobody is told.
                try database.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
                try database.run("SELECT pg_reload_conf()")
                let enrolment = Task { try await enrol("i", store) }
                try await eventually("it waits for its answer") {
                    try database.run("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") != "0"
                }
                try database.run("ALTER SYSTEM RESET synchronous_standby_names")
                try database.order(.stop)
                // Several tries to learn of it fail meanwhile.
                try await Task.sleep(for: .seconds(1))
                try database.order(.start)
                try await enrolment.value
                #expect(try await store.gallery("g").sightings == 1)
                try await eventually("it is found") {
                    let query = GalleryQuery(embedding: embedding([1, 0]))
                    return (try? await store.query(query, in: "g").matches.map(\.identity)) == ["i"]
                }
                try await store.close()
            }
        }
    }

    @Test("Of enrolments during which connections are cut each is there once if it was acknowledged, in the index too")
    func underLoad() async throws {
        try await withStore(on: [.postgresql]) { store, directory in
            let acknowledged = try await withThrowingTaskGroup(of: String?.self) { group in
                for worker in 0..<4 {
                    for number in 0..<40 {
                        group.addTask {
                            let name = "i\(worker)-\(number)"
                            do {
                                try await enrol(name, store)
                                return name
                            } catch is GalleryError {
                                return nil
                            }
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<8 {
                        try cut(directory)
                        try await Task.sleep(for: .milliseconds(30))
                    }
                    return nil
                }
                return try await group.reduce(into: Set<String>()) { names, name in name.map { _ = names.insert($0) } }
            }
            #expect(acknowledged.count > 100)
            let kept = try await store.identities(in: "g", PageRequest(limit: 1000)).items
            #expect(acknowledged.isSubset(of: kept.map(\.id)) && kept.allSatisfy { $0.sightings == 1 })
            let query = GalleryQuery(embedding: embedding([1, 0]), limit: 1000)
            let found = try await store.query(query, in: "g").matches.map(\.identity)
            #expect(Set(found) == Set(kept.map(\.id)) && found.count == kept.count)
            try await store.close()
            let again = try await directory.open()
            let reloaded = try await again.query(query, in: "g").matches.map(\.identity)
            #expect(Set(reloaded) == Set(found))
            try await again.close()
        }
    }
}
