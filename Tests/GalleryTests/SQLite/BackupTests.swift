import Foundation
import Gallery
import Testing

struct BackupTests {
    @Test("A backup taken during enrolments is whole, opens and answers; its name never holds a part of one")
    func backup() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            _ = try await store.enrol(Enrolment(identity: "first", embeddings: [embedding([1, 0])]), in: "g")
            let path = directory.file("backup.sqlite")
            try Data("an older backup".utf8).write(to: URL(fileURLWithPath: path))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let enrolment = Enrolment(identity: "i\(number)", embeddings: [embedding([0, 1])])
                        _ = try await store.enrol(enrolment, in: "g")
                    }
                }
                group.addTask { try await store.backup(to: path) }
                try await group.waitForAll()
            }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: directory.path).allSatisfy {
                    !$0.contains("partial")
                })
            let copy = try await GalleryStore.open(path: path)
            try await copy.checkIntegrity()
            let query = GalleryQuery(embedding: embedding([1, 0]), limit: 1)
            #expect(try await copy.query(query, in: "g").matches.map(\.identity) == ["first"])
            try await copy.close()
        }
    }

    @Test("A backup ends while enrolments do not, and only its owner can read it")
    func unending() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            let image = KeptImage(modality: "rgb", contentType: "image/png", bytes: Data(count: 1 << 20))
            for number in 0..<30 {
                let enrolment = Enrolment(identity: "i\(number)", images: [image], embeddings: [embedding([1, 0])])
                _ = try await store.enrol(enrolment, in: "g")
            }
            let path = directory.file("backup.sqlite")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !Task.isCancelled {
                        _ = try await store.enrol(
                            Enrolment(identity: "more", embeddings: [embedding([0, 1])]), in: "g")
                    }
                }
                try await store.backup(to: path)
                group.cancelAll()
                do { try await group.waitForAll() } catch is CancellationError {}
            }
            #expect(try directory.mode(of: "backup.sqlite") == 0o600)
            let copy = try await GalleryStore.open(path: path)
            #expect(try await copy.identities(in: "g", PageRequest(limit: 1000)).items.count >= 30)
            try await copy.close()
        }
    }

    @Test("A backup that cannot be written is an error and leaves nothing")
    func failure() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            await expectError(kind: "storage") { try await store.backup(to: directory.file("missing/backup")) }
        }
    }
}
