import Foundation
import GRDB
import DatabaseFixtures
import Gallery
import Testing

/// A directory that lives as long as a test, and the database that is kept there, or in a server.
final class TemporaryDirectory: Sendable {
    let path: String
    let engine: DatabaseEngine
    /// Its file, or its address.
    let database: String

    init(_ engine: DatabaseEngine = .sqlite) throws {
        self.engine = engine
        path = FileManager.default.temporaryDirectory.appendingPathComponent("gallery-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        database =
            engine == .sqlite ? "\(path)/g.sqlite" : try PostgreSQLServer.makeDatabase(withVectors: engine == .pgvector)
    }

    func open(_ configuration: GalleryConfiguration = GalleryConfiguration()) async throws -> GalleryStore {
        var configuration = configuration
        if engine == .pgvector { configuration.index = .pgvector }
        return try await GalleryStore.open(path: database, configuration: configuration)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Another program's connection to the database.
    func connect() throws -> DatabaseQueue {
        var options = Configuration()
        options.busyMode = .timeout(30)
        options.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: file("g.sqlite"), configuration: options)
    }

    /// Changes the database as another program would.
    func alter(_ sql: String) throws {
        if engine == .sqlite {
            let queue = try connect()
            try queue.write { try $0.execute(sql: sql) }
            return try queue.close()
        }
        let schema = try #require(database.split(separator: "%3D").last)
        try PostgreSQLServer.shared(withVectors: engine == .pgvector).run("SET search_path = \(schema); \(sql)")
    }

    /// A file's access rights.
    func mode(of name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: file(name))
        return try #require(attributes[.posixPermissions] as? Int)
    }

    /// Whether one of its files has these bytes somewhere.
    func contains(_ bytes: Data) throws -> Bool {
        try FileManager.default.contentsOfDirectory(atPath: path).contains { name in
            try Data(contentsOf: URL(fileURLWithPath: file(name))).range(of: bytes) != nil
        }
    }
}

extension GalleryStore {
    /// Waits for what goes on in the background after an erasure.
    func waitUntilErased(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !erasure.isComplete && .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        #expect(erasure.isComplete, "\(erasure)", sourceLocation: sourceLocation)
    }
}

/// Runs a test on stores of its own that have the gallery "g", one of each engine in turn.
func withStore(
    _ configuration: GalleryConfiguration = GalleryConfiguration(), on engines: [DatabaseEngine] = DatabaseEngine.all,
    _ body: (GalleryStore, TemporaryDirectory) async throws -> Void
) async throws {
    for engine in engines {
        try await engine.taking {
            let directory = try TemporaryDirectory(engine)
            let store = try await directory.open(configuration)
            _ = try await store.createGallery("g")
            try await body(store, directory)
            try await store.close()
        }
    }
}

/// What there is to say of a database that nobody has open, once it was repaired if it is to be.
func examine(_ directory: TemporaryDirectory, repairing: Bool = false) async throws -> GalleryCheck.Report {
    let check = try await GalleryCheck(path: directory.database)
    if repairing { try await check.repair() }
    let report = try await check.examine()
    try await check.close()
    return report
}

/// Expects that nothing is wrong with it.
func expectSound(_ directory: TemporaryDirectory, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let report = try await examine(directory)
    #expect(report.count == 0, "\(report.findings)", sourceLocation: sourceLocation)
}

/// Expects an operation to throw an error of a gallery.
func expectError<T: Sendable>(
    _ expected: GalleryError, sourceLocation: SourceLocation = #_sourceLocation,
    _ operation: @Sendable () async throws -> T
) async {
    let error = await errorOf(operation)
    #expect(error == expected, sourceLocation: sourceLocation)
}

/// Expects an operation to throw an error of a gallery by the name of its case, and of its field if it is `invalid`.
func expectError<T: Sendable>(
    kind: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ operation: @Sendable () async throws -> T
) async {
    let error = await errorOf(operation)
    #expect(error?.kind == kind, "\(String(describing: error))", sourceLocation: sourceLocation)
}

private func errorOf<T: Sendable>(_ operation: @Sendable () async throws -> T) async -> GalleryError? {
    do {
        _ = try await operation()
        return nil
    } catch {
        return error as? GalleryError
    }
}

/// A vector of one model, by default made from all three modalities.
func embedding(
    _ values: [Float], model: String = "m", modalities: [String] = ["nir", "rgb", "tir"]
) -> SightingEmbedding {
    SightingEmbedding(model: model, modalities: modalities, values: values)
}

extension GalleryError {
    fileprivate var kind: String {
        if case .invalid(let field, _, _) = self { return "invalid \(field)" }
        return String("\(Mirror(reflecting: self).children.first?.label ?? "")")
    }
}
