import Foundation
import GRDB
import Gallery
import Testing

struct OpeningTests {
    private func change(_ path: String, _ sql: String) async throws {
        let queue = try DatabaseQueue(path: path)
        try await queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    @Test(
        "A database of a later release is refused by its version or by its migrations",
        arguments: zip(
            ["PRAGMA user_version = 14", "INSERT INTO grdb_migrations VALUES ('v13')"], [14, 13]))
    func newer(sql: String, version: Int) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("g.sqlite")
        try await GalleryStore.open(path: path).close()
        try await change(path, sql)
        await expectError(.newerSchema(found: version, supported: 12)) { try await GalleryStore.open(path: path) }
    }

    @Test("A file that is no SQLite database is refused and left as it was")
    func noDatabase() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("g.sqlite")
        let content = Data(String(repeating: "not a database ", count: 100).utf8)
        try content.write(to: URL(fileURLWithPath: path))
        await expectError(kind: "notADatabase") { try await GalleryStore.open(path: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
    }

    @Test("A database of another application is refused and left as it was")
    func foreign() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("g.sqlite")
        try await change(path, "CREATE TABLE recipes (id INTEGER PRIMARY KEY)")
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        await expectError(kind: "notADatabase") { try await GalleryStore.open(path: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }

    @Test("A database with a damaged page is reported, not trusted")
    func damaged() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            let image = KeptImage(modality: "rgb", contentType: "image/png", bytes: Data(count: 50_000))
            _ = try await store.enrol(Enrolment(identity: "a", images: [image], embeddings: [embedding([1])]), in: "g")
            try await store.close()
            let file = URL(fileURLWithPath: directory.file("g.sqlite"))
            var bytes = try Data(contentsOf: file)
            bytes.replaceSubrange(8192..<(bytes.count - 8192), with: Data(repeating: 0xA5, count: bytes.count - 16384))
            try bytes.write(to: file)
            await expectError(kind: "storage") {
                let damaged = try await GalleryStore.open(path: file.path)
                try await damaged.checkIntegrity()
            }
        }
    }

    @Test(
        "Vectors that do not fit their model are set aside at opening",
        arguments: ["UPDATE embedding SET vectors = x'0000C07F'", "UPDATE model SET dimension = 9999999"])
    func damagedVector(sql: String) async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            _ = try await store.enrol(Enrolment(identity: "a", embeddings: [embedding([1])]), in: "g")
            try await store.close()
            let path = directory.file("g.sqlite")
            try await change(path, sql)
            let opened = try await GalleryStore.open(path: path)
            #expect(opened.damage.vectors.count == 1)
            #expect(try await opened.sightings(of: "a", in: "g").items.count == 1)
            try await opened.close()
        }
    }

    @Test("A path that cannot be opened is a typed error")
    func badPaths() async throws {
        let directory = try TemporaryDirectory()
        await expectError(kind: "notADatabase") { try await GalleryStore.open(path: directory.path) }
        let nowhere = directory.file("missing/g.sqlite")
        await expectError(kind: "storage") { try await GalleryStore.open(path: nowhere) }
    }

    @Test("A second store of a database is refused until the first is closed")
    func owned() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("g.sqlite")
        let store = try await GalleryStore.open(path: path)
        await expectError(.inUse(path)) { try await GalleryStore.open(path: path) }
        try await store.close()
        try await GalleryStore.open(path: path).close()
    }

    @Test("A database that another connection keeps locked is busy, and the next try succeeds")
    func busy() async throws {
        var configuration = GalleryConfiguration()
        configuration.busyTimeout = 0.05
        try await withStore(configuration, on: [.sqlite]) { store, directory in
            var unsafe = Configuration()
            unsafe.allowsUnsafeTransactions = true
            let other = try DatabaseQueue(path: directory.file("g.sqlite"), configuration: unsafe)
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            await expectError(.busy) { try await store.createGallery("h") }
            #expect(try await store.galleries().items.count == 1)
            try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            _ = try await store.createGallery("h")
        }
    }

    @Test("A closed store answers with an error")
    func closed() async throws {
        let directory = try TemporaryDirectory()
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        try await store.close()
        await expectError(kind: "storage") { try await store.galleries() }
    }

    @Test("An emptied database is refused, and nothing is written to it")
    func emptied() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            try await store.close()
            let path = directory.file("g.sqlite")
            try Data().write(to: URL(fileURLWithPath: path))
            await expectError(kind: "notADatabase") { try await GalleryStore.open(path: path) }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
        }
    }

    @Test("A new database does not take over the log of one that is gone")
    func staleLog() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            try await store.waitUntilErased()
            _ = try await store.createGallery("h")
            let path = directory.file("g.sqlite")
            let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
            #expect(!log.isEmpty)
            try await store.close()
            try FileManager.default.removeItem(atPath: path)
            try log.write(to: URL(fileURLWithPath: path + "-wal"))
            let new = try await GalleryStore.open(path: path)
            #expect(try await new.galleries().items.isEmpty)
            try await new.checkIntegrity()
            try await new.close()
        }
    }

    @Test("A start reads the vectors as they lie, without sorting them")
    func plan() async throws {
        try await withStore(on: [.sqlite]) { _, directory in
            let queue = try directory.connect()
            let rows = try queue.read {
                try Row.fetchAll(
                    $0, sql: "EXPLAIN QUERY PLAN \(StartStatement.everyVector)", arguments: [0, Int64.max, nil])
            }
            let plan = rows.map { $0["detail"] as String }
            #expect(
                plan.first?.hasPrefix("SEARCH e USING INTEGER PRIMARY KEY") == true
                    && !plan.contains { $0.contains("B-TREE") }, "\(plan)")
            try queue.close()
        }
    }
}
