import Foundation
import GRDB
import Gallery
import Testing

@Suite("End to end: commands that cannot start")
struct BadStartTests {
    /// What stands in the way of a server, and what it says.
    private enum Obstacle: CaseIterable {
        case portInUse, databaseInUse, truncatedModel, notANumber, noModel, newerDatabase, notADatabase,
            badConfiguration

        var message: String {
            switch self {
            case .portInUse: "address already in use"
            case .databaseInUse: "another process"
            case .truncatedModel: "truncated"
            case .notANumber: "NaN"
            case .noModel: "No such file"
            case .newerDatabase: "schema version 13, this release reads versions up to 12"
            case .notADatabase: "not a"
            case .badConfiguration: "prot"
            }
        }
    }

    @Test("a server that cannot start says why and leaves everything as it was")
    func serve() async throws {
        let world = try await World()
        let (server, port) = try await world.serve()
        for obstacle in Obstacle.allCases {
            let arguments = try await arguments(obstacle, world, port)
            let before = try contents(world)
            let result = try await world.triptych.start(["serve"] + arguments).result()
            #expect(result.status != 0, "\(obstacle)")
            #expect(
                result.error.contains(obstacle.message) && result.error.contains("rror:"),
                "\(obstacle): \(result.error)")
            #expect(!result.error.contains("Fatal") && result.error.count < 1000, "\(obstacle): \(result.error)")
            #expect(try contents(world) == before, "\(obstacle)")
        }
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
    }

    /// The files; but for SQLite's own beside the database, which even a reader makes.
    private func contents(_ world: World) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: world.folder.path("bad")).sorted()
            .filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }
    }

    private func arguments(_ obstacle: Obstacle, _ world: World, _ port: Int) async throws -> [String] {
        let folder = world.folder.file("bad")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let database = folder.appendingPathComponent("g.sqlite").path
        let file = folder.appendingPathComponent("file")
        var model = try Data(contentsOf: URL(fileURLWithPath: world.model))
        switch obstacle {
        case .portInUse:
            return ["--checkpoint", world.model, "--database", world.folder.path("other.sqlite"), "--port", "\(port)"]
        case .databaseInUse: return ["--checkpoint", world.model, "--database", world.database, "--port", "0"]
        case .truncatedModel: model.removeLast(100)
        case .notANumber: model.replaceSubrange((model.count - 4)..., with: [0, 0, 0xC0, 0x7F])
        case .noModel: return ["--checkpoint", file.path + "-none", "--database", database]
        case .newerDatabase:
            try? FileManager.default.removeItem(at: file)
            try await GalleryStore.open(path: file.path).close()
            let queue = try DatabaseQueue(path: file.path)
            try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('v999')") }
            try queue.close()
            return ["--checkpoint", world.model, "--database", file.path, "--port", "0"]
        case .notADatabase:
            try Data(repeating: 7, count: 9000).write(to: file)
            return ["--checkpoint", world.model, "--database", file.path, "--port", "0"]
        case .badConfiguration:
            try Data("prot: 80\n".utf8).write(to: file)
            return ["--config", file.path]
        }
        try model.write(to: file)
        return ["--checkpoint", file.path, "--database", database, "--port", "0"]
    }

    @Test("commands that read data and models say what is wrong with them")
    func commands() async throws {
        let world = try await World()
        let image = try world.triple()[0].path
        try Data(Data(contentsOf: URL(fileURLWithPath: image)).prefix(300)).write(to: world.folder.file("cut.jpg"))
        let cases: [([String], String)] = [
            (["embed", "--checkpoint", world.model], "at least one of"),
            (["embed", "--checkpoint", world.model, "--rgb", world.folder.path("cut.jpg")], "truncated"),
            (["embed", "--checkpoint", image, "--rgb", image], "header"),
            (["evaluate", "--checkpoint", world.model, "--data", world.folder.path("none")], "none"),
            (
                ["train", "--config", image, "--data", world.data, "--output", world.folder.path("other")], "format"
            ),
            (
                [
                    "train", "--config", world.folder.path("recipe.yaml"), "--data", world.data, "--output",
                    world.folder.path("run"),
                ], "new or empty folder"
            ),
            (["enroll", "--server", "http://127.0.0.1:1", "--gallery", "g", "--data", world.data], "127.0.0.1:1"),
            (["synthesize", "--output", world.folder.path("d"), "--identities", "-1"], "identities"),
        ]
        for (arguments, message) in cases {
            let result = try await world.triptych.start(arguments).result()
            #expect(result.status != 0, "\(arguments)")
            #expect(
                result.error.contains(message) && result.error.contains("rror:"), "\(arguments[0]): \(result.error)")
        }
    }
}
