import Foundation
import GRDB
import Gallery
import Testing

/// What rows another connection sees.
struct RowTests {
    @Test("When enrol returns, another connection reads the sighting, and the commit was synced")
    func commit() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            let id = try await store.enrol(Enrolment(identity: "a", embeddings: [embedding([1])]), in: "g").sighting.id
            let other = try DatabaseQueue(path: directory.file("g.sqlite"))
            let found = try await other.read { db in
                try String.fetchAll(db, sql: "SELECT uuid FROM sighting JOIN embedding ON sighting_id = sighting.id")
            }
            #expect(found == [id])
            #expect(try await store.isDurable())
        }
    }

    @Test("Galleries and identities named like folders, from an earlier release, can be read and erased, but not made")
    func folderNames() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            let id = try await store.enrol(Enrolment(identity: "a"), in: "g").sighting.id
            let queue = try directory.connect()
            try await queue.write { db in
                try db.execute(sql: "UPDATE gallery SET name = '..'")
                try db.execute(sql: "UPDATE identity SET name = '.'")
            }
            try queue.close()
            #expect(try await store.sightings(of: ".", in: "..").items.map(\.id) == [id])
            await expectError(kind: "invalid identity") { try await store.enrol(Enrolment(identity: "."), in: "..") }
            await expectError(kind: "invalid identity") { try await store.createIdentity("..", in: "..") }
            try await store.deleteIdentity(".", in: "..")
            try await store.deleteGallery("..")
            #expect(try await store.galleries().items.isEmpty)
        }
    }

    @Test("The index of metadata follows changes and erasures, and is made of what an earlier release wrote")
    func fields() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            let metadata: [(String, Metadata)] = [
                ("a", ["lane": 1, "wet": true]), ("a", ["lane": 2]), ("b", ["lane": "1"]), ("b", [:]),
                ("c", ["wet": 1]),
            ]
            _ = try await store.createIdentity("b", in: "g", metadata: ["owner": "city"])
            for (identity, metadata) in metadata {
                _ = try await store.enrol(Enrolment(identity: identity, metadata: metadata), in: "g")
            }
            _ = try await store.updateIdentity("b", in: "g", IdentityPatch(metadata: .set(["lane": 2])))
            let database = try DatabaseQueue(path: directory.file("g.sqlite"))
            let count = { (table: String) in
                try database.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table)_field") }
            }
            #expect(try count("sighting") == 5 && count("identity") == 1)
            let first = try await store.sightings(of: "a", in: "g").items[0]
            try await store.deleteSighting(first.id, in: "g")
            #expect(try count("sighting") == 3)
            try await store.deleteIdentity("b", in: "g")
            try await store.deleteGallery("g")
            while try count("sighting") != 0 || count("identity") != 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }
}
