import DatabaseFixtures
import Foundation
import Gallery
import Testing

/// What is found, named and repaired of a database that was damaged from outside.
@Suite("Check")
struct CheckTests {
    /// A closed database of three sightings, whose bytes can be told apart.
    private func database(_ engine: DatabaseEngine = .sqlite) async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory(engine)
        let store = try await directory.open()
        _ = try await store.createGallery("g")
        for number in 0..<3 {
            let image = KeptImage(
                modality: "rgb", contentType: "image/png", bytes: Data(repeating: UInt8(0xA0 + number), count: 9000))
            _ = try await store.enrol(
                Enrolment(
                    identity: "i\(number)", camera: "north-\(number)", metadata: ["lane": .number(Double(number))],
                    images: [image], embeddings: [embedding([1, Float(number) + 0.125])]), in: "g")
        }
        try await store.close()
        return directory
    }

    /// Runs a test on such a database.
    private func withDatabase(
        _ engine: DatabaseEngine, _ body: (TemporaryDirectory) async throws -> Void
    ) async throws {
        try await engine.taking { try await body(try await database(engine)) }
    }

    private func sighting(of identity: String, _ directory: TemporaryDirectory) async throws -> String {
        let store = try await directory.open()
        let found = try await store.sightings(of: identity, in: "g").items.first?.id
        try await store.close()
        return try #require(found)
    }

    private func found(_ directory: TemporaryDirectory) async throws -> Set<String> {
        let store = try await directory.open()
        let matches = try await store.query(GalleryQuery(embedding: embedding([1, 1])), in: "g").matches
        try await store.close()
        return Set(matches.map(\.identity))
    }

    /// Flips a bit of the first place in the file where some bytes are.
    private func flip(_ bytes: Data, in directory: TemporaryDirectory) throws {
        let url = URL(fileURLWithPath: directory.file("g.sqlite"))
        var data = try Data(contentsOf: url)
        let place = try #require(data.range(of: bytes)?.lowerBound)
        data[place + bytes.count / 2] ^= 4
        try data.write(to: url)
    }

    @Test(
        "Nothing is wrong with a database that a store has written, erasures included; nobody may have it meanwhile",
        arguments: DatabaseEngine.all)
    func sound(engine: DatabaseEngine) async throws {
        try await withDatabase(engine) { directory in
            var report = try await examine(directory)
            #expect(report.count == 0 && report.sightings == 3 && report.embeddings == 3 && report.undigested == 0)
            let store = try await directory.open()
            await expectError(kind: "inUse") { _ = try await GalleryCheck(path: directory.database) }
            try await store.deleteIdentity("i1", in: "g")
            try await store.waitUntilErased()
            try await store.close()
            report = try await examine(directory)
            #expect(report.count == 0 && report.sightings == 2, "\(report.findings)")
            await expectError(kind: "storage") { _ = try await GalleryCheck(path: directory.file("none.sqlite")) }
        }
    }

    @Test("A flipped bit of an image, of a camera or of metadata is found, and named by its sighting")
    func flipped() async throws {
        for bytes in [Data(repeating: 0xA1, count: 64), Data("north-1".utf8), Data(#"{"lane":1}"#.utf8)] {
            let directory = try await database()
            try flip(bytes, in: directory)
            let id = try await sighting(of: "i1", directory)
            let report = try await examine(directory)
            let finding = try #require(report.findings.first { $0.kind == "sighting" }, "\(report.findings)")
            #expect(finding.detail.hasPrefix("\(id) in g"))
        }
    }

    @Test("What another program has changed of a sighting is found, and named by it", arguments: DatabaseEngine.all)
    func changed(engine: DatabaseEngine) async throws {
        for change in [
            "UPDATE image SET bytes = (SELECT bytes FROM image WHERE sighting_id = 1) WHERE sighting_id = 2",
            "UPDATE sighting SET camera = 'south' WHERE id = 2", "UPDATE sighting SET created_at = 7 WHERE id = 2",
        ] {
            try await withDatabase(engine) { directory in
                try directory.alter(change)
                let (id, report) = (try await sighting(of: "i1", directory), try await examine(directory))
                let finding = try #require(
                    report.findings.first { $0.kind == "sighting" }, "\(change): \(report.findings)")
                #expect(finding.detail.hasPrefix("\(id) in g"))
            }
        }
    }

    @Test("A vector that was changed is found; a repair takes it away", arguments: DatabaseEngine.all)
    func changedVector(engine: DatabaseEngine) async throws {
        try await withDatabase(engine) { directory in
            try directory.alter(
                "UPDATE embedding SET vectors = (SELECT vectors FROM embedding WHERE id = 1) WHERE id = 2")
            let report = try await examine(directory)
            #expect(report.count == 1 && report.findings[0].kind == "embedding")
            #expect(report.findings[0].detail.contains("its vectors have changed"))
            #expect(try await examine(directory, repairing: true).count == 0)
            #expect(try await found(directory) == ["i0", "i2"])
        }
    }

    @Test(
        "A vector that cannot be used is set aside, and the others are found", arguments: DatabaseEngine.holdingVectors,
        ["0000000000000000", "0000C07F00000000", "000000000000000000000000"])
    func setAside(engine: DatabaseEngine, bytes: String) async throws {
        try await withDatabase(engine) { directory in
            let value = engine == .sqlite ? "x'\(bytes)'" : "'\\x\(bytes)'"
            try directory.alter("UPDATE embedding SET vectors = \(value) WHERE id = 2")
            let store = try await directory.open()
            #expect(store.damage.vectors.count == 1)
            #expect(store.damage.vectors.first.map(\.sighting) == [2] && store.damage.vectors.first[0].model == "m")
            try await store.close()
            #expect(try await found(directory) == ["i0", "i2"])
            #expect(try await examine(directory).findings.map(\.kind) == ["embedding"])
            #expect(try await examine(directory, repairing: true).count == 0)
        }
    }

    @Test("Counts and the index of metadata that are wrong are found and made anew", arguments: DatabaseEngine.all)
    func derived(engine: DatabaseEngine) async throws {
        try await withDatabase(engine) { directory in
            let values = engine == .sqlite ? "1, 'a', 'b', 1" : "1, 'a', 'b', NULL, NULL, 1"
            for sql in [
                "UPDATE gallery_tally SET images = 7", "UPDATE coverage SET sightings = 0",
                "UPDATE total SET sightings = 9",
                "UPDATE identity_tally SET sightings = 5, last_seen = 1 WHERE identity_id = 2",
                "DELETE FROM sighting_field WHERE sighting_id = 1", "INSERT INTO identity_field VALUES (\(values))",
            ] {
                try directory.alter(sql)
            }
            let report = try await examine(directory)
            #expect(report.findings.count { $0.kind == "counts" } == 5, "\(report.findings)")
            #expect(report.findings.count { $0.kind == "fields" } == 2)
            #expect(report.findings.allSatisfy { $0.repair != nil })
            #expect(try await examine(directory, repairing: true).count == 0)
        }
    }

    @Test("Commits that were lost are noticed: a log that was taken away, an older copy in place of the database")
    func lostCommits() async throws {
        let directory = try await database()
        let path = directory.file("g.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: directory.file("older"))
        var store = try await GalleryStore.open(path: path)
        #expect(store.damage.lostCommits == 0)
        for _ in 0..<5 {
            _ = try await store.enrol(Enrolment(identity: "new", embeddings: [embedding([1, 0])]), in: "g")
        }
        try await store.close()
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: directory.file("older"), toPath: path)
        #expect(try await examine(directory).findings.map(\.kind) == ["commits"])
        store = try await GalleryStore.open(path: path)
        #expect(store.damage.lostCommits == 5)
        _ = try await store.enrol(Enrolment(identity: "new", embeddings: [embedding([1, 0])]), in: "g")
        try await store.close()
        try await expectSound(directory)
    }

    /// In a session that looks after no references and calls no triggers.
    private static let unguarded = "SET session_replication_role = replica; "

    @Test(
        "PostgreSQL: rows that belong to nothing, triggers that are off, tables without a log, metadata that is no JSON",
        .enabled(if: DatabaseEngine.all.contains(.postgresql)),
        arguments: [
            (unguarded + "DELETE FROM identity WHERE id = 2", "references", "rows of sighting belong"),
            (unguarded + "DELETE FROM sighting WHERE id = 2", "references", "rows of image belong"),
            ("ALTER TABLE sighting DISABLE TRIGGER sighting_made", "schema", "sighting_made of sighting is switched"),
            ("ALTER TABLE audit SET UNLOGGED", "schema", "audit is unlogged"),
            (unguarded + "UPDATE sighting SET metadata = '{' WHERE id = 2", "fields", "no JSON"),
        ])
    func tables(change: String, kind: String, said: String) async throws {
        try await withDatabase(.postgresql) { directory in
            try directory.alter(change)
            let report = try await examine(directory)
            #expect(report.findings.contains { $0.kind == kind && $0.detail.contains(said) }, "\(report.findings)")
        }
    }
}
