import Foundation
import Threads

/// Galleries in a database that speaks SQL.
///
/// What a transaction does stands here once; how it comes about, and when it is durable, is its engine's affair.
final class SQLStore: GalleryTransactions {
    let damage: GalleryDamage
    let configuration: GalleryConfiguration
    let engine: any SQLEngine

    private init(_ engine: any SQLEngine, _ configuration: GalleryConfiguration, setAside: DamagedVectors) {
        (self.engine, self.configuration) = (engine, configuration)
        damage = GalleryDamage(lostCommits: engine.lostCommits, vectors: setAside)
    }

    /// Loads a database's vectors into its indexes, on so many threads, and goes on with its erasures.
    static func open(
        _ engine: any SQLEngine, _ configuration: GalleryConfiguration, threads: WorkerThreads
    ) async throws -> SQLStore {
        do {
            let setAside = try await engine.load(threads, slices: configuration.searchThreads)
            engine.events.reach(try await engine.read { try newestEvent($0) })
            try await engine.begin()
            return SQLStore(engine, configuration, setAside: setAside)
        } catch {
            try? await engine.close()
            throw error
        }
    }

    var indexes: IndexRegistry { engine.indexes }
    var progress: IndexProgress { engine.progress }
    var isLeader: Bool { engine.isLeader }
    var path: String { engine.path }
    var erasure: ErasureStatus { engine.erasure }
    var storage: StorageStatus { engine.storage }

    var sharedLedger: (any SharedLedger)? {
        engine.sharing.map { PostgreSQLSharedLedger(store: self, server: $0) }
    }

    @discardableResult func follow() async throws -> Bool { try await engine.follow() }
    func members() async throws -> [GalleryMember] { try await engine.members() }
    func close() async throws { try await engine.close() }
    func backup(to path: String) async throws { try await engine.backup(to: path) }
    func checkIntegrity() async throws { try await engine.checkIntegrity() }
    func isDurable() async throws -> Bool { try await engine.isDurable() }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await engine.read(body)
    }

    @discardableResult func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        try await engine.write(body)
    }

    func erase<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await engine.erase(body)
    }
}
