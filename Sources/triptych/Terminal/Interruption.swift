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
}
