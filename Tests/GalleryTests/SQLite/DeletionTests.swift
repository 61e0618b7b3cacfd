import Foundation
import GRDB
import Gallery
import Testing

struct DeletionTests {
    private let secret = Data("the face of somebody who asked to be forgotten".utf8)

    private func enrol(_ identity: String, _ text: Data, _ store: GalleryStore, in gallery: String = "g") async throws
        -> String
    {
        // Larger than a page, so that it has overflow pages too.
        let bytes = Data((0..<300).flatMap { _ in text })
        let image = KeptImage(modality: "rgb", contentType: "image/png", bytes: bytes)
        return try await store.enrol(
            Enrolment(identity: identity, images: [image], embeddings: [embedding([1, 0])]), in: gallery
        ).sighting.id
    }

    @Test(
        "After an erasure no byte of the image is left in the database or its log",
        arguments: ["sighting", "identity", "gallery"])
    func erasure(what: String) async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            _ = try await store.createGallery("h")
            _ = try await enrol("other", Data("somebody who stays".utf8), store, in: "h")
            let id = try await enrol("a", secret, store)
            #expect(try directory.contains(secret))
            switch what {
            case "sighting": try await store.deleteSighting(id, in: "g")
            case "identity": try await store.deleteIdentity("a", in: "g")
            default: try await store.deleteGallery("g")
            }
            try await store.waitUntilErased()
            #expect(try !directory.contains(secret))
            #expect(try directory.contains(Data("somebody who stays".utf8)))
            try await store.checkIntegrity()
        }
    }

    @Test("While another program reads, an erasure is answered and enrolments go on; the bytes leave when it has read")
    func reader() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            let id = try await enrol("a", secret, store)
            let reader = try directory.connect()
            try await reader.writeWithoutTransaction { db in
                try db.execute(sql: "BEGIN")
                _ = try Row.fetchAll(db, sql: "SELECT * FROM sighting")
            }
            try await store.deleteSighting(id, in: "g")
            _ = try await enrol("b", Data("somebody who stays".utf8), store)
            #expect(!store.erasure.isComplete)
            #expect(try directory.contains(secret))
            try await reader.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
            try await store.waitUntilErased()
            #expect(try !directory.contains(secret))
            try reader.close()
        }
    }

    @Test("Erased space is given back to the file system")
    func space() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            func size() async throws -> Int {
                try await store.waitUntilErased()
                let attributes = try FileManager.default.attributesOfItem(atPath: directory.file("g.sqlite"))
                return try #require(attributes[.size] as? Int)
            }
            // What tables take that have had a row.
            _ = try await enrol("a", secret, store)
            try await store.deleteIdentity("a", in: "g")
            let empty = try await size()
            for _ in 0..<100 { _ = try await enrol("a", secret, store) }
            try await store.deleteIdentity("a", in: "g")
            #expect(try await size() < empty + 25_000)
        }
    }

    @Test("An erased sighting answers no query, and its identity stays")
    func index() async throws {
        try await withStore(on: [.sqlite]) { store, _ in
            let id = try await enrol("a", secret, store)
            try await store.deleteSighting(id, in: "g")
            let result = try await store.query(GalleryQuery(embedding: embedding([1, 0])), in: "g")
            #expect(result.matches.isEmpty && result.unknown)
            #expect(try await store.identity("a", in: "g").sightings == 0)
            await expectError(.notFound(.sighting, id)) { try await store.deleteSighting(id, in: "g") }
        }
    }
}
