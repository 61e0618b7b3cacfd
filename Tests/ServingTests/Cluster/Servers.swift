import DatabaseFixtures
import Foundation
import Gallery
import Serving
import ServingFixtures
import Testing

/// Servers of one database in PostgreSQL, each with a models' folder of its own; no socket.
final class Servers: Sendable {
    /// One of them, as it runs.
    struct Server: Sendable {
        let world: World
        /// What goes on beside the requests.
        let upkeep: Task<Void, Never>

        var stack: ServingStack { world.stack }
        var gallery: GalleryStore { world.stack.gallery }

        /// Ends it, as a signal would.
        func close() async throws {
            upkeep.cancel()
            await upkeep.value
            try await gallery.close()
        }
    }

    private let database: String
    private let folder: URL

    private init() throws {
        database = try PostgreSQLServer.makeDatabase()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("servers-\(UUID().uuidString)")
    }

    /// Runs a test on two servers, of which the first leads, and the gallery "g".
    static func run(
        _ configure: (inout ServingConfiguration) -> Void = { _ in },
        _ body: (Servers, Server, Server) async throws -> Void
    ) async throws {
        try await DatabaseEngine.postgresql.taking {
            let servers = try Servers()
            defer { try? FileManager.default.removeItem(at: servers.folder) }
            let first = try await servers.start("a", configure)
            _ = try await first.gallery.createGallery("g")
            let second = try await servers.start("b")
            try await eventually("the first leads") { first.gallery.isLeader }
            try await body(servers, first, second)
            for server in [first, second] { try? await server.close() }
        }
    }

    /// Starts one, with the models' folder that it had before.
    func start(
        _ name: String, _ configure: (inout ServingConfiguration) -> Void = { _ in }
    ) async throws -> Server {
        let own = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        var configuration = ServingConfiguration()
        configuration.modelsFolder = own.appendingPathComponent("models").path
        configuration.swap.share = 1
        configure(&configuration)
        var options = GalleryConfiguration()
        (options.sharing, options.serverName, options.readers, options.searchThreads) = (true, name, 4, 2)
        let gallery = try await GalleryStore.open(path: database, configuration: options)
        let stack = try await ServingStack.around(
            BrightnessEncoder(), gallery: gallery, configuration, logger: World.logger)
        return Server(world: World(folder: own, stack: stack), upkeep: Task { await stack.maintain() })
    }
}

extension Servers.Server {
    /// The identities that a picture finds, and the model that has found them, with all that is committed by now.
    func ask(_ seed: Int, after sequence: Int64) async throws -> (model: String, found: [String]) {
        try await gallery.waitForSequence(sequence, until: .now + .seconds(240))
        let images = [
            0: SentImage(try picture(seed)), 100: SentImage(try picture(seed + 100)),
            200: SentImage(try picture(seed + 200)),
        ]
        var options = QueryService.Options()
        options.limit = 3
        let answer = try await stack.queries.answer(
            .triple([.rgb: try #require(images[0]), .nir: try #require(images[100]), .tir: try #require(images[200])]),
            options, in: "g")
        return (answer.model, answer.result.matches.map(\.identity))
    }

    var models: Set<String> {
        get async throws { Set(try await stack.models.page(limit: 100, after: nil).items.map(\.summary.model)) }
    }
}
