import Foundation
import Gallery
import Logging

/// Has the models' folder of a server and the checkpoints that servers share be the same.
///
/// A checkpoint that is verified here is shared, one that another server has shared is fetched and verified, one that was deleted
/// anywhere is removed. A file that comes into the folder while the server runs is wanted, even if one like it was deleted before; one
/// that a start finds is not.
package actor SharedModels {
    static let prefix = "model/"

    private let ledger: any SharedLedger
    private let catalog: ModelCatalog
    private let logger: Logger
    /// Digests of those that were shared in the last round; nil before the first.
    private var shared: Set<String>?
    private var fetching: [String: Task<Bool, any Error>] = [:]
    /// Until when one that could not be taken is left alone.
    private var refused: [String: ContinuousClock.Instant] = [:]

    package init(_ ledger: any SharedLedger, _ catalog: ModelCatalog, _ logger: Logger) {
        (self.ledger, self.catalog, self.logger) = (ledger, catalog, logger)
    }

    /// One round. What is wrong with one checkpoint is logged, and holds up no other. Throws `GalleryError`, or `CancellationError`.
    package func synchronize() async throws {
        let files = try await models()
        let gone = files.filter { $0.value == .gone }.keys.filter { shared?.contains($0) ?? true }
        for digest in gone where catalog.digests.contains(digest) {
            try await attempt("a deleted model was not removed", digest) { try await catalog.remove(digest) }
        }
        for digest in files.filter({ $0.value == .whole }).keys.sorted() where !catalog.digests.contains(digest) {
            if let until = refused[digest], until > .now { continue }
            do { _ = try await fetch(digest: digest) } catch let error as CancellationError { throw error } catch {
                refused[digest] = .now + .seconds(30)
                warn("a shared model was not fetched", digest, error)
            }
        }
        for digest in catalog.digests.sorted() where files[digest] != .whole && !gone.contains(digest) {
            try await attempt("a model was not shared", digest) { try await publish(digest) }
        }
        shared = Set(try await models().filter { $0.value == .whole }.keys)
    }

    private func models() async throws -> [String: SharedFile.State] {
        let files = try await ledger.sharedFiles().filter { $0.name.hasPrefix(Self.prefix) }
        return Dictionary(uniqueKeysWithValues: files.map { (String($0.name.dropFirst(Self.prefix.count)), $0.state) })
    }

    private func attempt(_ failure: Logger.Message, _ digest: String, _ work: () async throws -> Void) async throws {
        do { try await work() } catch is CancellationError where Task.isCancelled {
            throw CancellationError()
        } catch {
            warn(failure, digest, error)
        }
    }

    private func warn(_ what: Logger.Message, _ digest: String, _ error: any Error) {
        logger.warning(what, metadata: ["model": "\(digest)", "error": "\(error)"])
    }

    /// Shares a checkpoint that is here, by its digest. Throws `ModelError.notFound`, or `GalleryError`.
    package func publish(_ digest: String) async throws {
        try await ledger.share(Self.prefix + digest, from: catalog.file(of: digest).path)
        shared?.insert(digest)
    }

    /// Has a model be here, whatever name its vectors are known by. Throws `ModelError` or `GalleryError`.
    /// - Returns: false if nobody has shared it.
    package func fetch(_ model: String) async throws -> Bool {
        if (try? catalog.summary(model)) != nil { return true }
        let names = try await models().filter { $0.value == .whole }.keys
        guard let digest = names.first(where: { ModelSummary.names($0).contains(model) }) else { return false }
        return try await fetch(digest: digest)
    }

    private func fetch(digest: String) async throws -> Bool {
        if let task = fetching[digest] { return try await task.value }
        let task = Task { [ledger, catalog] in
            let partial = catalog.partial()
            defer { try? FileManager.default.removeItem(at: partial) }
            guard try await ledger.fetch(Self.prefix + digest, to: partial.path) else { return false }
            _ = try await catalog.take(partial, expecting: digest)
            return true
        }
        fetching[digest] = task
        defer { fetching[digest] = nil }
        let isHere = try await task.value
        if isHere { logger.info("model fetched", metadata: ["model": "\(digest)"]) }
        return isHere
    }

    /// Deletes a checkpoint everywhere, soon. Throws `GalleryError`.
    package func withdraw(_ digest: String) async throws { try await ledger.withdraw(Self.prefix + digest) }

    /// Whether somebody has shared it. Throws `GalleryError`.
    package func isShared(_ digest: String) async throws -> Bool { try await models()[digest] == .whole }
}
