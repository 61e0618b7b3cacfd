import Foundation
import GRDB
import Gallery
import Testing

/// What is found, named and repaired of a database that was damaged from outside.
struct CheckTests {
    /// A closed database of three sightings, whose bytes can be told apart.
    private func database() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
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

    private func examine(_ directory: TemporaryDirectory, repairing: Bool = false) throws -> GalleryCheck.Report {
        let check = try GalleryCheck(path: directory.file("g.sqlite"))
        if repairing { try check.repair() }
        let report = try check.examine()
        try check.close()
        return report
    }

    private func change(_ directory: TemporaryDirectory, _ sql: String, _ arguments: StatementArguments = []) throws {
        let queue = try directory.connect()
        try queue.write { try $0.execute(sql: sql, arguments: arguments) }
        try queue.close()
    }

    /// Flips a bit of the first place in the file where some bytes are.
    private func flip(_ bytes: Data, in directory: TemporaryDirectory) throws {
        let url = URL(fileURLWithPath: directory.file("g.sqlite"))
        var data = try Data(contentsOf: url)
        let place = try #require(data.range(of: bytes)?.lowerBound)
        data[place + bytes.count / 2] ^= 4
        try data.write(to: url)
    }

    @Test("Nothing is wrong with a database that a store has written, erasures included; nobody may have it meanwhile")
    func sound() async throws {
        let directory = try await database()
        var report = try examine(directory)
        #expect(report.count == 0 && report.sightings == 3 && report.embeddings == 3 && report.undigested == 0)
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        await expectError(.inUse(directory.file("g.sqlite"))) { _ = try GalleryCheck(path: directory.file("g.sqlite")) }
        try await store.deleteIdentity("i1", in: "g")
        try await store.waitUntilErased()
        try await store.close()
        report = try examine(directory)
        #expect(report.count == 0 && report.sightings == 2, "\(report.findings)")
        await expectError(kind: "storage") { _ = try GalleryCheck(path: directory.file("none.sqlite")) }
    }

    @Test("A flipped bit of an image, of a camera or of metadata is found, and named by its sighting")
    func changed() async throws {
        for bytes in [Data(repeating: 0xA1, count: 64), Data("north-1".utf8), Data(#"{"lane":1}"#.utf8)] {
            let directory = try await database()
            try flip(bytes, in: directory)
            let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
            let sighting = try await store.sightings(of: "i1", in: "g").items.first?.id
            try await store.close()
            let report = try examine(directory)
            let finding = try #require(report.findings.first { $0.kind == "sighting" }, "\(report.findings)")
            #expect(finding.detail.hasPrefix("\(try #require(sighting)) in g"))
        }
    }

    @Test("A flipped bit of a vector is found; a repair takes the vector away")
    func changedVector() async throws {
        let directory = try await database()
        let norm = Float(1 + 1.125 * 1.125).squareRoot()
        let stored = Data(
            [1 / norm, 1.125 / norm].flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
        let raw = Data([Float(1), 1.125].flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
        do { try flip(stored, in: directory) } catch { try flip(raw, in: directory) }
        let report = try examine(directory)
        #expect(report.count == 1 && report.findings[0].kind == "embedding")
        #expect(report.findings[0].detail.contains("its vectors have changed"))
        #expect(try examine(directory, repairing: true).count == 0)
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        let found = try await store.query(GalleryQuery(embedding: embedding([1, 1])), in: "g")
        #expect(Set(found.matches.map(\.identity)) == ["i0", "i2"])
        try await store.close()
    }

    @Test(
        "A vector that cannot be used is set aside, and the others are found",
        arguments: [Data(count: 8), Data([0, 0, 0xC0, 0x7F, 0, 0, 0, 0]), Data(count: 12)])
    func setAside(bytes: Data) async throws {
        let directory = try await database()
        try change(directory, "UPDATE embedding SET vectors = ? WHERE id = 2", [bytes])
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        #expect(store.damage.vectors.count == 1)
        #expect(store.damage.vectors.first.map(\.sighting) == [2] && store.damage.vectors.first[0].model == "m")
        let found = try await store.query(GalleryQuery(embedding: embedding([1, 1])), in: "g")
        #expect(Set(found.matches.map(\.identity)) == ["i0", "i2"])
        try await store.close()
        #expect(try examine(directory).findings.map(\.kind) == ["embedding"])
        #expect(try examine(directory, repairing: true).count == 0)
    }

    @Test("Counts and the index of metadata that are wrong are found and made anew")
    func derived() async throws {
        let directory = try await database()
        for sql in [
            "UPDATE gallery_tally SET images = 7", "UPDATE coverage SET sightings = 0",
            "UPDATE total SET sightings = 9",
            "UPDATE identity_tally SET sightings = 5 WHERE identity_id = 2",
            "DELETE FROM sighting_field WHERE sighting_id = 1", "INSERT INTO identity_field VALUES (1, 'a', 'b', 1)",
        ] {
            try change(directory, sql)
        }
        let report = try examine(directory)
        #expect(report.findings.count { $0.kind == "counts" } == 4, "\(report.findings)")
        #expect(report.findings.count { $0.kind == "fields" } == 2)
        #expect(report.findings.allSatisfy { $0.repair != nil })
        #expect(try examine(directory, repairing: true).count == 0)
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
        #expect(try examine(directory).findings.map(\.kind) == ["commits"])
        store = try await GalleryStore.open(path: path)
        #expect(store.damage.lostCommits == 5)
        _ = try await store.enrol(Enrolment(identity: "new", embeddings: [embedding([1, 0])]), in: "g")
        try await store.close()
        #expect(try examine(directory).count == 0)
    }
}
