import Foundation
import GRDB
import Gallery
import Testing

/// Erasures that take more than one transaction.
struct ErasureTests {
    private static let secret = Data("the face of somebody who asked to be forgotten".utf8)
    private static let key = Idempotency(key: "k", fingerprint: "f")

    /// Gallery "g" with identity "a", of 40 sightings, and "b", of one.
    private func fill(_ store: GalleryStore) async throws {
        let image = KeptImage(modality: "rgb", contentType: "image/png", bytes: Self.secret)
        for number in 0..<40 {
            let enrolment = Enrolment(
                identity: "a", metadata: ["n": 1], images: [image], embeddings: [embedding([1, 0])],
                idempotency: number == 0 ? Self.key : nil)
            _ = try await store.enrol(enrolment, in: "g")
        }
        _ = try await store.enrol(Enrolment(identity: "b", embeddings: [embedding([0, 1])]), in: "g")
    }

    /// As a process leaves it that ended right after the erasure was answered.
    private func mark(_ what: String, _ directory: TemporaryDirectory) async throws {
        let queue = try directory.connect()
        try await queue.write { db in
            try db.execute(sql: "INSERT INTO erased_\(what) VALUES (1)")
            try db.execute(sql: "UPDATE \(what) SET \(what == "model" ? "digest" : "name") = 'erased' WHERE id = 1")
        }
        try queue.close()
    }

    @Test(
        "What is erased and not deleted yet is nowhere to be seen, and its name and keys are free",
        arguments: [true, false])
    func hidden(isReopened: Bool) async throws {
        try await withStore(on: [.sqlite]) { first, directory in
            try await fill(first)
            let id = try #require(try await first.sightings(of: "a", in: "g").items.first).id
            var store = first
            if isReopened { try await first.close() }
            try await mark("identity", directory)
            if isReopened { store = try await GalleryStore.open(path: directory.file("g.sqlite")) }
            #expect(try await store.identities(in: "g").items.map(\.id) == ["b"])
            #expect(try await store.sightingCount() == 1)
            let summary = try await store.gallery("g")
            #expect((summary.identities, summary.sightings) == (1, 1))
            for threshold in [nil, Float(-1)] {
                let query = GalleryQuery(embedding: embedding([1, 1]), threshold: threshold, grouping: .sighting)
                #expect(try await store.query(query, in: "g").matches.map(\.identity) == (isReopened ? ["b"] : []))
            }
            #expect(try await store.pendingBatch(model: "new", limit: 100).sightings.count == 1)
            #expect(try await store.lacking(model: "new", standIn: nil).sightings == 1)
            #expect(try await store.sample(count: 10).isEmpty)
            await expectError(.notFound(.sighting, id)) { [store] in try await store.sighting(id, in: "g") }
            await expectError(.notFound(.identity, "a")) { [store] in try await store.deleteIdentity("a", in: "g") }
            #expect(
                try await store.enrolled(
                    before: Enrolment(identity: "a", embeddings: [embedding([1, 0])], idempotency: Self.key), in: "g")
                    == nil)
            let again = Enrolment(identity: "a", embeddings: [embedding([1, 0])], idempotency: Self.key)
            #expect(try await !store.enrol(again, in: "g").isReplay)
            #expect(try await store.identity("a", in: "g").sightings == 1)
            if isReopened {
                try await store.waitUntilErased()
                #expect(try !directory.contains(Self.secret))
                try await store.close()
            }
        }
    }

    @Test("An erasure that was cut off goes on at the next start", arguments: ["gallery", "identity", "model"])
    func resumed(what: String) async throws {
        try await withStore(on: [.sqlite]) { first, directory in
            try await fill(first)
            try await first.close()
            try await mark(what, directory)
            let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
            #expect(try await store.galleries().items.map(\.name) == (what == "gallery" ? [] : ["g"]))
            #expect(try await store.sightingCount() == ["gallery": 0, "identity": 1, "model": 41][what])
            try await store.waitUntilErased()
            #expect(try await store.models().map(\.sightings) == (what == "identity" ? [1] : []))
            #expect(try await store.sightingCount() == ["gallery": 0, "identity": 1, "model": 41][what])
            #expect(try directory.contains(Self.secret) == (what == "model"))
            let queue = try directory.connect()
            let left = try await queue.read { db in
                try Int.fetchOne(
                    db, sql: "SELECT (SELECT COUNT(*) FROM \(what)) + (SELECT COUNT(*) FROM erased_\(what))")
            }
            #expect(left == (what == "identity" ? 1 : 0))
            try queue.close()
            try await store.checkIntegrity()
            try await store.close()
        }
    }

    @Test("A gallery's name and a model's are free at once", arguments: ["gallery", "model"])
    func names(what: String) async throws {
        try await withStore(on: [.sqlite]) { store, _ in
            try await fill(store)
            if what == "gallery" {
                try await store.deleteGallery("g")
                await expectError(.notFound(.gallery, "g")) { try await store.gallery("g") }
                _ = try await store.createGallery("g")
                try await fill(store)
            } else {
                try await store.deleteEmbeddings(model: "m")
                #expect(try await store.models().isEmpty)
                _ = try await store.enrol(Enrolment(identity: "c", embeddings: [embedding([1, 2, 3])]), in: "g")
            }
            let count = what == "gallery" ? 41 : 1
            #expect(try await store.models().map(\.sightings) == [count])
            try await store.waitUntilErased()
            #expect(try await store.models().map(\.sightings) == [count])
            #expect(try await store.gallery("g").models.map(\.sightings) == [count])
        }
    }

    @Test("A large erasure is many transactions, between which others enrol")
    func pieces() async throws {
        var configuration = GalleryConfiguration()
        configuration.pieceBytes = 1
        try await withStore(configuration, on: [.sqlite]) { store, directory in
            _ = try await store.createGallery("h")
            for _ in 0..<5 { try await fill(store) }
            let reader = try directory.connect()
            try await store.deleteGallery("g")
            var seen: Set<Int> = []
            while !store.erasure.isComplete {
                _ = try await store.enrol(Enrolment(identity: "i", embeddings: [embedding([1, 0])]), in: "h")
                let left = try await reader.read { db in
                    try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sighting WHERE gallery_id = 1")
                }
                seen.insert(try #require(left))
            }
            #expect(seen.count > 2, "\(seen)")
            try reader.close()
            try await store.checkIntegrity()
        }
    }
}
