import Foundation
import Synchronization

/// Control-C or a termination, noticed instead of obeyed at once, so that a job can end in order. A second one kills.
enum Interruption {
    private static let happened = Atomic(false)

    /// From now on, the first signal is only noticed.
    static func watch() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                // Nothing but what is safe in a signal handler.
                Interruption.happened.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    /// Whether it has happened.
    static var hasHappened: Bool { happened.load(ordering: .relaxed) }

    /// Does something until it ends or the first signal comes, which cancels it and is no failure.
    static func ending(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await work() }
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                task.cancel()
                signal(number, SIG_DFL)
            }
            source.resume()
            return source
        }
        defer { sources.forEach { $0.cancel() } }
        do {
            try await task.value
        } catch  where task.isCancelled {}
    }
}
