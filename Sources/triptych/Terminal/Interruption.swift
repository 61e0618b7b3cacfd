import Foundation
import Synchronization

/// Control-C or a termination, noticed instead of obeyed at once, so that a job can end in order. Whoever waits presses again, and
/// a supervisor may ask twice: only a third one kills.
enum Interruption {
    private static let count = Atomic(0)

    /// The status of a command that ended in order before its work was done: `EX_TEMPFAIL` of sysexits.h.
    static let status: Int32 = 75

    /// From now on, the first two signals are only noticed.
    static func watch() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                // Nothing but what is safe in a signal handler.
                if Interruption.count.wrappingAdd(1, ordering: .relaxed).newValue >= 2 { signal(number, SIG_DFL) }
            }
        }
    }

    /// Whether it has happened.
    static var hasHappened: Bool { count.load(ordering: .relaxed) > 0 }

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
