import Foundation
import Gallery
import Testing

/// Backups to a folder, and restores from it.
struct RestoreTests {
    private func enrol(_ identity: String, _ store: GalleryStore) async throws -> String {
        let image = KeptImage(modality: "rgb", contentType: "image/png", bytes: Data("image of \(identity)".utf8))
        let enrolment = Enrolment(identity: identity, images: [image], embeddings: [embedding([1, 0.5])])
        return try await store.enrol(enrolment, in: "g").sighting.id
    }

    private func backup(_ directory: TemporaryDirectory) throws -> GalleryBackup.Outcome {
        try GalleryBackup(folder: directory.file("backup")).make(
            of: directory.file("g.sqlite"), models: directory.file("g.sqlite-models"))
    }

    private func restore(_ directory: TemporaryDirectory) -> GalleryRestore {
        GalleryRestore(
            GalleryBackup(folder: directory.file("backup")), to: directory.file("g.sqlite"),
            models: directory.file("g.sqlite-models"))
    }

    private func writeModel(_ name: String, _ text: String, _ directory: TemporaryDirectory) throws {
        try FileManager.default.createDirectory(
            atPath: directory.file("g.sqlite-models"), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: directory.file("g.sqlite-models/\(name)")))
    }

    @Test("A backup of a database in use copies what has changed since the last one, and nothing else")
    func incremental() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            _ = try await enrol("a", store)
            try writeModel("m.safetensors", "weights", directory)
            try writeModel("notes.txt", "not a model", directory)
            var outcome = try backup(directory)
            #expect(outcome.copiesDatabase && outcome.models == 1 && outcome.manifest.sightings == 1)
            outcome = try backup(directory)
            #expect(!outcome.copiesDatabase && outcome.models == 0)
            try writeModel("n.safetensors", "more", directory)
            try FileManager.default.removeItem(atPath: directory.file("g.sqlite-models/m.safetensors"))
            outcome = try backup(directory)
            #expect(!outcome.copiesDatabase && outcome.models == 1)
            #expect(outcome.manifest.models.map(\.file) == ["n.safetensors"])
            _ = try await enrol("b", store)
            #expect(try backup(directory).copiesDatabase)
            for name in ["gallery.sqlite", "backup.json", "models/n.safetensors"] {
                #expect(try directory.mode(of: "backup/\(name)") == 0o600)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("backup/models")).count == 1)
            #expect(try GalleryBackup(folder: directory.file("backup")).verify().sightings == 2)
        }
    }

    @Test("A restored copy starts and answers; what was erased since stays erased unless told; the old one is kept")
    func erased() async throws {
        for bringsBack in [false, true] {
            let directory = try TemporaryDirectory()
            let path = directory.file("g.sqlite")
            var store = try await GalleryStore.open(path: path)
            _ = try await store.createGallery("g")
            let kept = try await enrol("kept", store)
            let gone = try await enrol("planted", store)
            let moved = try await enrol("old", store)
            try writeModel("m.safetensors", "weights", directory)
            _ = try backup(directory)
            try await store.deleteIdentity("planted", in: "g")
            _ = try await store.renameIdentity("old", to: "new", in: "g")
            try FileManager.default.removeItem(atPath: directory.file("g.sqlite-models/m.safetensors"))
            #expect(throws: GalleryError.inUse(path)) { try restore(directory).run(bringingBack: false) }
            try await store.waitUntilErased()
            try await store.close()

            #expect(try restore(directory).erased()?.first == ["g/planted/\(gone)"])
            try restore(directory).run(bringingBack: bringsBack)
            store = try await GalleryStore.open(path: path)
            #expect(store.damage.lostCommits == 0)
            let found = try await store.query(GalleryQuery(embedding: embedding([1, 0.5])), in: "g").matches
            #expect(Set(found.map(\.identity)) == (bringsBack ? ["kept", "planted", "old"] : ["kept", "old"]))
            #expect(Set(found.map(\.sighting)) == Set([kept, moved] + (bringsBack ? [gone] : [])))
            try await store.close()
            let check = try await GalleryCheck(path: path)
            #expect(try await check.examine().count == 0)
            try await check.close()
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect((data.range(of: Data("image of planted".utf8)) != nil) == bringsBack)
            #expect(FileManager.default.contents(atPath: directory.file("g.sqlite-models/m.safetensors")) != nil)
            let old = try await GalleryStore.open(path: restore(directory).replaced)
            #expect(try await old.sighting(moved, in: "g").identity == "new")
            try await old.close()
        }
    }

    @Test("To a place where nothing is, everything is restored; the backup stays as it was")
    func elsewhere() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            _ = try await enrol("a", store)
            _ = try backup(directory)
            let path = directory.file("elsewhere.sqlite")
            let restore = GalleryRestore(
                GalleryBackup(folder: directory.file("backup")), to: path, models: path + "-models")
            #expect(try restore.run(bringingBack: false) == nil)
            let copy = try await GalleryStore.open(path: path)
            #expect(try await copy.gallery("g").sightings == 1)
            try await copy.close()
            #expect(try directory.mode(of: "elsewhere.sqlite") == 0o600)
            try GalleryBackup(folder: directory.file("backup")).verify()
        }
    }

    @Test("A backup that is none, or was changed, is refused and nothing is replaced")
    func broken() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            _ = try await enrol("a", store)
            try writeModel("m.safetensors", "weights", directory)
            _ = try backup(directory)
            try await store.close()
            let before = try Data(contentsOf: URL(fileURLWithPath: directory.file("g.sqlite")))
            for name in ["models/m.safetensors", "gallery.sqlite", "backup.json"] {
                let url = URL(fileURLWithPath: directory.file("backup/\(name)"))
                let good = try Data(contentsOf: url)
                var bad = good
                bad[bad.count / 2] ^= 1
                for broken in [bad, good.dropLast(3), nil] {
                    if let broken { try broken.write(to: url) } else { try FileManager.default.removeItem(at: url) }
                    #expect(throws: (any Error).self, "\(name)") { try restore(directory).run(bringingBack: true) }
                    #expect(try Data(contentsOf: URL(fileURLWithPath: directory.file("g.sqlite"))) == before)
                    try good.write(to: url)
                }
            }
            try restore(directory).run(bringingBack: true)
            // Where the database in place cannot be read, nobody knows what was erased: only whoever says so gets it back.
            try Data("no database".utf8).write(to: URL(fileURLWithPath: directory.file("g.sqlite")))
            #expect(throws: GalleryError.self) { try restore(directory).run(bringingBack: false) }
            try restore(directory).run(bringingBack: true)
            let restored = try await GalleryStore.open(path: directory.file("g.sqlite"))
            #expect(try await restored.gallery("g").sightings == 1)
            try await restored.close()
        }
    }
}
