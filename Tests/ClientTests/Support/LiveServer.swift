import Foundation
import Gallery
import Logging
import Server
import ServingFixtures
import TriptychClient

/// A server of this process on a free port, as long as a test uses it.
struct LiveServer {
    let port: Int
    /// Where the test may put files.
    let folder: URL

    var url: URL { .loopback(port) }

    /// A client whose pauses are short.
    func client(key: String? = nil) throws -> Client { try .impatient(url, key: key) }

    static func run(
        _ configure: (inout ServerConfiguration) -> Void = { _ in }, _ body: (LiveServer) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("client-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = ServerConfiguration()
        (configuration.port, configuration.models) = (0, folder.appendingPathComponent("models").path)
        configure(&configuration)
        let gallery = try await GalleryStore.open(path: folder.appendingPathComponent("gallery.sqlite").path)
        let server = try await TriptychServer(
            configuration: configuration, encoder: BrightnessEncoder(), gallery: gallery,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { listening.finish() }
                try await server.run(signals: false) { listening.yield($0) }
            }
            for await port in ports {
                try await body(LiveServer(port: port, folder: folder))
                break
            }
            group.cancelAll()
        }
    }
}

extension URL {
    static func loopback(_ port: Int) -> URL {
        // It is one, with any port.
        // swift-format-ignore: NeverForceUnwrap
        return URL(string: "http://127.0.0.1:\(port)")!
    }
}

extension Client {
    static func impatient(_ url: URL, key: String? = nil, retries: Int = 4) throws -> Client {
        try Client(
            url, key: key, timeout: .seconds(900), retries: RetryPolicy(retries: retries, firstPause: .milliseconds(1)))
    }
}

/// A triple with pictures of its own.
func triple(_ seed: Int) throws -> Triple {
    try Triple([.rgb: picture(seed), .nir: picture(seed + 100), .tir: picture(seed + 200)])
}
