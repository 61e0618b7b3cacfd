import Gallery
import Inference
import Synchronization

/// Which model answers, and which one is on its way to. Pure bookkeeping; what makes a model ready is elsewhere.
///
/// Requests know it as `AnsweringModels`.
package final class ModelRegistry: Sendable {
    private struct State {
        var active: any TripleEncoder
        var candidate: (any TripleEncoder)?
        /// Grows when a candidate comes.
        var generation = 0
        /// Enrolments under way, by the generation in which they began.
        var enrolments: [Int: Int] = [:]
    }

    private let state: Mutex<State>
    /// Whether the active model is the one of all servers.
    package let step = ModelStep()

    package init(_ active: any TripleEncoder) { state = Mutex(State(active: active)) }

    /// The model that answers, if this server does. Not for requests: where servers share a database, all may answer with another.
    package var active: any TripleEncoder { state.withLock { $0.active } }

    /// The one on its way.
    package var candidate: (any TripleEncoder)? { state.withLock { $0.candidate } }

    fileprivate func enrolling<Value>(_ body: ([any TripleEncoder]) async throws -> Value) async rethrows -> Value {
        let (generation, encoders) = state.withLock { state in
            state.enrolments[state.generation, default: 0] += 1
            return (state.generation, [state.active] + [state.candidate?.inBackground].compactMap { $0 })
        }
        defer {
            state.withLock { state in
                let left = (state.enrolments[generation] ?? 1) - 1
                state.enrolments[generation] = left == 0 ? nil : left
            }
        }
        return try await body(encoders)
    }

    /// From now on, enrolments are embedded by the candidate too.
    package func prepare(_ candidate: any TripleEncoder) {
        state.withLock { state in
            state.candidate = candidate
            state.generation += 1
        }
    }

    /// Whether enrolments are under way that know nothing of the candidate.
    package var hasEarlierEnrolments: Bool {
        state.withLock { state in state.enrolments.keys.contains { $0 < state.generation } }
    }

    /// The candidate answers from now on.
    package func promote() {
        state.withLock { state in
            state.active = state.candidate ?? state.active
            state.candidate = nil
        }
    }

    /// Another model answers from now on, which was no candidate.
    func become(_ active: any TripleEncoder) {
        state.withLock { state in
            state.active = active
            if state.candidate?.model == active.model { state.candidate = nil }
        }
    }

    /// There is no candidate any more.
    package func dismiss() { state.withLock { $0.candidate = nil } }
}

/// The models as requests have them: there is no way to one but by asking whether this server is in step with the others.
///
/// A request takes the active model once, at its beginning, and stays with it. An enrolment takes the candidate too: from
/// the moment there is one, everything new is embedded by both, so that nothing is missing when it becomes active.
package struct AnsweringModels: Sendable {
    private let registry: ModelRegistry

    package init(_ registry: ModelRegistry) { self.registry = registry }

    /// The model that a request is answered with, once it is certain that it is the one of all servers. Throws
    /// `ServingError.outOfStep`, or `CancellationError`.
    package func current() async throws -> any TripleEncoder {
        try await registry.step.require()
        return registry.active
    }

    /// Runs an enrolment with the models that must embed it, the active one first; the candidate holds up no other request. Where
    /// another server has made a model active that is not among them, it runs again with that. Throws as `current` does.
    package func enrolling<Value>(_ body: ([any TripleEncoder]) async throws -> Value) async throws -> Value {
        try await registry.step.require()
        do {
            return try await registry.enrolling(body)
        } catch GalleryError.modelChanged(let model) {
            if registry.active.model != model { registry.step.suspect() }
            try await registry.step.require()
            return try await registry.enrolling(body)
        }
    }
}
