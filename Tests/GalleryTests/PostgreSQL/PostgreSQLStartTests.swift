import DatabaseFixtures
import Foundation
import Gallery
import Testing

/// What a start says of a database of a server.
@Suite(
    "PostgreSQL", .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct PostgreSQLStartTests {
    private func refusal(_ address: String) async -> String {
        do {
            let store = try await GalleryStore.open(path: address)
            try await store.close()
            return "opened"
        } catch {
            return "\(error)"
        }
    }

    @Test("An address has a name, hosts and a database, and no password")
    func addresses() throws {
        for (address, said) in [
            ("postgresql://u:secret@db.example/g", "without a password"), ("postgresql://[", "libpq says"),
            ("postgresql://u@h/g?no_such=1", "no_such"),
        ] {
            let error = #expect(throws: GalleryError.self) { try GalleryStore.checkAddress(address) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(said), "\(address)")
            #expect("\(error.map { "\($0)" } ?? "")".contains("secret") == false)
        }
        try GalleryStore.checkAddress("postgresql://u@a.example:5433,b.example/g?target_session_attrs=any")
        #expect(GalleryStore.isAddress("postgres:///g") && !GalleryStore.isAddress("gallery.sqlite"))
    }

    @Test("What cannot be reached, or wants another password or TLS that is not there, is refused in one line")
    func unreachable() async throws {
        let server = try PostgreSQLServer.shared()
        let here = "postgresql://triptych@127.0.0.1:\(server.port)/postgres"
        for (address, said) in [
            ("\(here)?sslmode=disable", "no password supplied"), (here, "does not support SSL"),
            ("postgresql:///g?host=/nowhere", "No such file or directory"),
            ("postgresql:///g?host=\(server.folder)&user=triptych", #"database "g" does not exist"#),
            ("postgresql://u@127.0.0.1:1/g?sslmode=disable", "Connection refused"),
        ] {
            let found = await refusal(address)
            #expect(found.contains(said) && found.hasPrefix("the database cannot be reached"), "\(address): \(found)")
            #expect(!found.contains("\n"))
        }
    }

    @Test("A wrong password is refused, and the right one is taken from a file")
    func password() async throws {
        let (server, directory) = (try PostgreSQLServer.shared(), try TemporaryDirectory())
        try server.run("CREATE SCHEMA passwords")
        let here =
            "postgresql://triptych@127.0.0.1:\(server.port)/postgres?sslmode=disable&options=-csearch_path%3Dpasswords"
        for (password, said) in [("wrong", "password authentication failed"), ("secret", "opened")] {
            let file = directory.file(password)
            try Data("*:*:*:*:\(password)\n".utf8).write(to: URL(fileURLWithPath: file))
            chmod(file, 0o600)
            let found = await refusal("\(here)&passfile=\(file)")
            #expect(found.contains(said), "\(found)")
        }
    }

    @Test("Another application's tables, a later release's, a missing right and a schema that is not there are refused")
    func strangers() async throws {
        let server = try PostgreSQLServer.shared()
        try server.run("CREATE SCHEMA other; CREATE TABLE other.invoice (id int)")
        #expect(await refusal(server.address(schema: "other")).contains("tables of another application (invoice)"))
        #expect(await refusal(server.address(schema: "missing")).contains("no schema"))
        let address = try PostgreSQLServer.makeDatabase()
        #expect(await refusal(address) == "opened")
        let schema = try #require(address.split(separator: "%3D").last)
        try server.run("UPDATE \(schema).triptych_schema SET version = 99")
        #expect(await refusal(address).contains("schema version 99, this release reads versions up to"))
        try server.run(
            "CREATE SCHEMA foreign_schema; CREATE ROLE guest LOGIN; GRANT USAGE ON SCHEMA foreign_schema TO guest")
        let guest = server.address(schema: "foreign_schema").replacing("user=triptych", with: "user=guest")
        #expect(await refusal(guest).contains("lacks a right"))
    }

    @Test("A second server is refused for as long as the first has the database")
    func ownership() async throws {
        try await withStore(on: [.postgresql]) { store, directory async throws in
            await expectError(kind: "inUse") { try await directory.open() }
            #expect(try await store.gallery("g").sightings == 0)
        }
    }

    @Test("What two servers make of a new database at the same time is whole")
    func race() async throws {
        let address = try PostgreSQLServer.makeDatabase()
        let outcomes = await withTaskGroup(of: String.self) { group in
            for _ in 0..<3 { group.addTask { await refusal(address) } }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(outcomes.allSatisfy { $0 == "opened" || $0.contains("another process serves") }, "\(outcomes)")
        #expect(outcomes.contains("opened"))
    }

    @Test("Where it is told without secrets, and that only PostgreSQL makes backups of it")
    func told() async throws {
        try await withStore(on: [.postgresql]) { store, directory in
            let folder = try PostgreSQLServer.shared().folder
            #expect(store.path == "postgresql://\(folder)/postgres")
            #expect(store.storage.database > 0 && store.storage.free == nil)
            await expectError(kind: "invalid database") { try await store.backup(to: directory.file("copy")) }
        }
    }
}
