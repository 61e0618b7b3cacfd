import Foundation
import Gallery
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization

/// Counts who reads what, and writes it into the audit log every minute: a read should not wait for the disk.
final class ReadTally: ServiceLifecycle.Service {
    private let counts = Mutex<[AuditedReads: Int]>([:])
    private let ledger: any ServerLedger
    private let logger: Logger

    init(_ ledger: any ServerLedger, _ logger: Logger) { (self.ledger, self.logger) = (ledger, logger) }

    /// Counts a request that was answered.
    func count(_ read: AuditedReads) { counts.withLock { $0[read, default: 0] += 1 } }

    /// Writes until the server ends, and then what is left.
    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(60))
                await self.write()
            }
        }
        await Task { await write() }.value
    }

    private func write() async {
        let due = counts.withLock { counts in
            defer { counts = [:] }
            return counts
        }
        guard !due.isEmpty else { return }
        do {
            try await ledger.save(due, at: Date())
        } catch {
            counts.withLock { $0.merge(due, uniquingKeysWith: +) }
            logger.error("reads were not written into the audit log", metadata: ["error": "\(error)"])
        }
    }
}
