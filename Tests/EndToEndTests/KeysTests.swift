import Foundation
import Testing

@Suite("End to end: keys")
struct KeysTests {
    @Test(
        "the first key is made offline, others on the server; commands give theirs from a file, and a revoked one ends")
    func keys() async throws {
        let world = try await World()
        let triptych = world.triptych
        let made = try await triptych.run(
            "keys", "create", "--database", world.database, "--name", "first", "--role", "admin")
        let token = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(made.status == 0 && token.hasPrefix("triptych_") && !made.error.contains(token))
        let (server, port) = try await world.serve()
        let url = "http://127.0.0.1:\(port)"
        let file = world.folder.path("admin.key")
        try Data("\(token)\n".utf8).write(to: URL(fileURLWithPath: file))

        let inUse = try await triptych.run("keys", "list", "--database", world.database)
        #expect(inUse.status != 0 && inUse.error.contains("another process"))
        let refused = try await triptych.run("keys", "list", "--server", url)
        #expect(refused.status != 0 && refused.error.contains("401"))
        let other = try await triptych.succeed(
            "keys", "create", "--server", url, "--key-file", file, "--name", "gate", "--role", "read", "--gallery", "g",
            "--days", "2", "--requests-per-minute", "100")
        let id = String(other.split(separator: "_")[1])
        let list = try await triptych.succeed("keys", "list", "--server", url, "--key-file", file)
        #expect(list.split(separator: "\n").count == 4 && list.contains(id) && list.contains("100/min"))

        let environment = ProcessInfo.processInfo.environment.merging(
            ["TRIPTYCH_URL": url, "TRIPTYCH_KEY": other.trimmingCharacters(in: .whitespacesAndNewlines)]) { $1 }
        let low = try await triptych.start(["keys", "list"], environment: environment).result()
        #expect(low.status != 0 && low.error.contains("403"))
        #expect(try await triptych.succeed("keys", "revoke", id, "--server", url, "--key-file", file).contains(id))
        let late = try await triptych.start(["keys", "list"], environment: environment).result()
        #expect(late.status != 0 && late.error.contains("401") && late.error.contains("revoked"))
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
        #expect(!server.error.contains(token))
        let after = try await triptych.succeed("keys", "list", "--database", world.database, "--json")
        #expect(after.contains("revoked_at") && !after.contains("digest"))
    }
}
