import Synchronization

/// Whether a server answers with the model that is active for all that share its database. One that has a database alone always does.
package final class ModelStep: Sendable {
    private enum State {
        case inStep
        /// Something has changed, and it is about to be known what.
        case unknown
        case out(reason: String)
    }

    /// For how long a request waits for a change to be known: a read of the database, as a rule.
    private static let patience = Duration.seconds(5)

    private let state = Mutex(State.inStep)

    /// Why it must not answer; nil if it may, or soon will.
    package var objection: String? {
        guard case .out(let reason) = state.withLock({ $0 }) else { return nil }
        return reason
    }

    /// Returns once it may answer. Throws `ServingError.outOfStep`, or `CancellationError`.
    package func require() async throws {
        let end = ContinuousClock.now + Self.patience
        while true {
            switch state.withLock({ $0 }) {
            case .inStep: return
            case .out(let reason): throw ServingError.outOfStep(reason: reason)
            case .unknown: break
            }
            guard .now < end else { throw ServingError.outOfStep(reason: "which model is active is not known yet") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Another model may be active now: nothing is answered before that is known.
    func suspect() { state.withLock { $0 = .unknown } }
    func enter() { state.withLock { $0 = .inStep } }
    func leave(_ reason: String) { state.withLock { $0 = .out(reason: reason) } }
}
