import Synchronization

/// What takes a gallery's time, for whoever measures it.
package enum GalleryStage: Sendable {
    /// Scoring vectors, waiting for a thread included.
    case search
    /// Enrolling until the disk has it, waiting for the writer included.
    case commit
}

/// Tells somebody when stages began and ended.
final class StageWatch: Sendable {
    typealias Observer = @Sendable (GalleryStage, ContinuousClock.Instant, ContinuousClock.Instant) -> Void

    private let observer = Mutex<Observer?>(nil)

    func tell(_ observer: @escaping Observer) { self.observer.withLock { $0 = observer } }

    /// Does a stage's work, and tells of it if it succeeds.
    func time<Value>(_ stage: GalleryStage, _ work: () async throws -> Value) async rethrows -> Value {
        let start = ContinuousClock.now
        let value = try await work()
        observer.withLock { $0 }?(stage, start, .now)
        return value
    }
}
