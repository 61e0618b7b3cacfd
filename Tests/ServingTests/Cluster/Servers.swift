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
    private let postgresql: PostgreSQLServer

    private init(in own: PostgreSQLServer?) throws {
        postgresql = try own ?? PostgreSQLServer.shared()
        database = try own?.address() ?? PostgreSQLServer.makeDatabase()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("servers-\(UUID().uuidString)")
    }

    /// Runs a test on two servers, of which the first leads, and the gallery "g"; in a server of PostgreSQL of its own, if given one.
    static func run(
        in own: PostgreSQLServer? = nil,
        _ configure: (inout ServingConfiguration) -> Void = { _ in },
        other: (inout ServingConfiguration) -> Void = { _ in },
        _ body: (Servers, Server, Server) async throws -> Void
    ) async throws {
        try await DatabaseEngine.postgresql.taking {
            let servers = try Servers(in: own)
            defer { try? FileManager.default.removeItem(at: servers.folder) }
            let first = try await servers.start("a", configure)
            _ = try await first.gallery.createGallery("g")
            let second = try await servers.start("b", other)
            try await eventually("the first leads") {
                // Whoever was slow for some seconds has lost the lead.
                if second.gallery.isLeader { try servers.cutOff(second) }
                return first.gallery.isLeader
            }
            try await body(servers, first, second)
            for server in [first, second] { try? await server.close() }
        }
    }

    /// Runs a statement as another program would.
    @discardableResult func sql(_ text: String) throws -> String {
        let schema = database.split(separator: "%3D").last.map(String.init) ?? "public"
        return try postgresql.run("SET search_path = \(schema); \(text)")
    }

    /// Ends the connection by which a server is a member of those that share the database, as if it were cut off.
    func cutOff(_ server: Server) throws {
        let member = try #require(server.gallery.sharedLedger?.member.prefix(8))
        try sql(
            """
            SELECT pg_terminate_backend(pid) FROM pg_locks
            WHERE locktype = 'advisory' AND classid = \(0x5452_5041) AND objid::bigint = \(try #require(Int(member, radix: 16)))
            """)
    }

    /// How many sightings a server is at.
    func claims(of server: Server) throws -> Int {
        let member = try #require(server.gallery.sharedLedger?.member.prefix(8))
        let count = try sql(
            """
            SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND pid IN (
                SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = \(0x5452_5041)
                    AND objid::bigint = \(try #require(Int(member, radix: 16))))
            """)
        return try #require(Int(count))
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

    /// Takes in so many lines, each an identity of its own.
    func importing(_ count: Int) async throws -> JobStatus {
        let lines = try (0..<count).map { number in
            let image = try picture(number).base64EncodedString()
            return "{\"identity\": \"i\(number)\", \"images\": {\"rgb\": \"\(image)\"}}"
        }
        let (file, job) = try await stack.imports.receive(for: "g")
        try await stack.imports.append(Data(lines.joined(separator: "\n").utf8), to: file)
        return try await stack.imports.start(file, job, in: "g")
    }

    var models: Set<String> {
        get async throws { Set(try await stack.models.page(limit: 100, after: nil).items.map(\.summary.model)) }
    }
}
