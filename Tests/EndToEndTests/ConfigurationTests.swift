import Foundation
import FoundationNetworking
import Testing

@Suite("End to end: configuration")
struct ConfigurationTests {
    /// Waits until a running process has said something so often.
    private func said(_ process: RunningCommand, _ text: String, times: Int = 1) async throws {
        while process.error.ranges(of: text).count < times {
            try #require(process.isRunning, "\(process.error)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test(
        "SIGHUP: origins and the log's level change at once, batching waits for a restart, a broken file changes nothing"
    )
    func reload() async throws {
        let world = try await World()
        let (server, port) = try await world.serve()
        func status(_ origin: String) async throws -> Int? {
            var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)/healthz")))
            request.setValue("https://\(origin)", forHTTPHeaderField: "Origin")
            return (try await URLSession.shared.data(for: request).1 as? HTTPURLResponse)?.statusCode
        }
        #expect(try await status("gate.example") == 403)
        try world.configure("cors: {origins: [\"https://gate.example\"]}\nbatching: {most: 2}\nlog: {level: notice}")
        server.send(SIGHUP)
        try await said(server, "reloaded the configuration")
        #expect(server.error.contains("changed=cors.origins, log.level") && server.error.contains("keys=batching.most"))
        #expect(try await status("gate.example") == 200)
        try world.configure("cors: {origins: [\"https://other.example\"]}\nprot: 1")
        server.send(SIGHUP)
        try await said(server, "the configuration was not reloaded")
        #expect(server.error.contains("unknown field prot, expected one of port"))
        #expect(try await status("gate.example") == 200)
        #expect(try await status("other.example") == 403)
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
        // At `notice` it does not say that it has stopped.
        #expect(!server.error.contains("stopped"))
    }

    @Test("--check-config prints what a start would have, listens on nothing and makes nothing")
    func check() async throws {
        let world = try await World()
        try world.configure("checkpoint: \(world.model)\nport: 1\nlimits: {parts: 3}")
        let arguments = ["serve", "--check-config", "--config", world.folder.path("triptych.yaml")]
        var environment = ProcessInfo.processInfo.environment
        environment["TRIPTYCH_DATABASE"] = world.database
        func check(_ more: String...) async throws -> Executable.Result {
            try await world.triptych.start(arguments + more, environment: environment).result()
        }
        let good = try await check("--set", "limits.uploads=4", "--host", "localhost")
        #expect(good.status == 0, "\(good.error)")
        #expect(good.output.contains("port: 1  # file\n") && good.output.contains("  parts: 3  # file\n"))
        #expect(good.output.contains("database: \"\(world.database)\"  # environment: TRIPTYCH_DATABASE\n"))
        #expect(good.output.contains("  uploads: 4  # option: --set limits.uploads\n"))
        #expect(good.output.contains("host: \"localhost\"  # option: --host\n"))
        #expect(!FileManager.default.fileExists(atPath: world.database))
        // What it prints is a configuration.
        try Data(good.output.utf8).write(to: world.folder.file("printed.yaml"))
        let again = try await world.triptych.run(
            "serve", "--check-config", "--config", world.folder.path("printed.yaml"))
        #expect(again.status == 0, "\(again.error)")

        let missing = try await check("--checkpoint", world.folder.path("none"))
        #expect(missing.status == 1 && missing.error.contains("checkpoint: expected a file that can be read"))
        let tls = try await check("--set", "tls={certificate: /nowhere.pem, key: /nowhere.key}")
        #expect(tls.status == 1 && tls.error.contains("tls.certificate") && tls.output.isEmpty)
        environment["TRIPTYCH_DATABSE"] = "x"
        let unknown = try await check()
        #expect(unknown.status == 1 && unknown.error.contains("TRIPTYCH_DATABSE, expected one of TRIPTYCH_DATABASE"))
        #expect(!FileManager.default.fileExists(atPath: world.database))
    }
}
