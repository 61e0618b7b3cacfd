import Logging
import Synchronization

/// The keys of a provider as they were when it was asked last. It is asked again when they are old or one is missing, seldom, and
/// never on behalf of one client alone: whoever sends made-up tokens cannot have it called more often.
final class ProviderKeys: Sendable {
    /// Requests that wait for an answer of the provider at the same time; others are told to come again.
    private static let mostWaiting = 32

    private struct State {
        var keys: ProviderKeySet?
        /// When they were asked for.
        var fetched: ContinuousClock.Instant?
        /// When the provider was asked last, with whatever outcome.
        var asked: ContinuousClock.Instant?
        var hasFailed = false
        var fetch: Task<Void, Never>?
        var waiting = 0
    }

    private let state = Mutex(State())
    private let configuration: ServerConfiguration.OpenID
    private let fetch: @Sendable () async throws -> ProviderKeySet
    private let logger: Logger

    /// - Parameters:
    ///   - configuration: how old keys may be, and how often the provider may be asked.
    ///   - logger: told when it does not answer.
    ///   - fetch: asks it.
    init(
        _ configuration: ServerConfiguration.OpenID, _ logger: Logger,
        fetch: @escaping @Sendable () async throws -> ProviderKeySet
    ) {
        (self.configuration, self.logger, self.fetch) = (configuration, logger, fetch)
    }

    /// Asks the provider, without waiting for it, before the first token comes.
    func prepare() { _ = look { _ in [] } }

    /// Those that can be what signed a token.
    ///
    /// - Parameter waits: whether the provider may be asked, and waited for.
    /// - Throws: `AccessError.invalidToken` if the provider has no such key, `.providerUnavailable` if it did not say.
    func keys(for token: WebToken, waits: Bool) async throws(AccessError) -> [ProviderKey] {
        let (found, fetch) = look(asking: waits) { $0.keys(for: token) }
        if !found.isEmpty { return found }
        guard waits, let fetch, enter() else { throw missing(token) }
        await fetch.value
        state.withLock { $0.waiting -= 1 }
        let again = look(asking: false) { $0.keys(for: token) }.found
        if again.isEmpty { throw missing(token) }
        return again
    }

    /// What there is, and what is being asked for.
    private func look(
        asking: Bool = true, _ find: (ProviderKeySet) -> [ProviderKey]
    ) -> (found: [ProviderKey], fetch: Task<Void, Never>?) {
        let now = ContinuousClock.now
        return state.withLock { state in
            let age = state.fetched.map { $0.duration(to: now) } ?? .zero
            // A provider that is away for long may have taken a stolen key back.
            if age > .seconds(configuration.keepSeconds) { (state.keys, state.fetched) = (nil, nil) }
            let found = state.keys.map(find) ?? []
            let isDue = found.isEmpty || age >= .seconds(configuration.refreshSeconds)
            let mayAsk = state.asked.map { $0.duration(to: now) >= .seconds(configuration.retrySeconds) } ?? true
            if asking, isDue, mayAsk, state.fetch == nil {
                state.asked = now
                state.fetch = Task { await self.refresh() }
            }
            return (found, state.fetch)
        }
    }

    private func refresh() async {
        let start = ContinuousClock.now
        do {
            let keys = try await fetch()
            state.withLock { ($0.keys, $0.fetched, $0.hasFailed, $0.fetch) = (keys, start, false, nil) }
            logger.debug(
                "the OpenID provider's keys were read",
                metadata: ["keys": "\(keys.keys.count)", "passed_over": "\(keys.passedOver.joined(separator: "; "))"])
        } catch {
            // Those that are there stay.
            state.withLock { ($0.hasFailed, $0.fetch) = (true, nil) }
            logger.warning("the OpenID provider's keys were not read", metadata: ["error": "\(error)"])
        }
    }

    private func enter() -> Bool {
        state.withLock { state in
            guard state.waiting < Self.mostWaiting else { return false }
            state.waiting += 1
            return true
        }
    }

    /// Why there is none.
    private func missing(_ token: WebToken) -> AccessError {
        let isKnown = state.withLock { $0.keys != nil && !$0.hasFailed && $0.fetch == nil }
        guard isKnown else { return .providerUnavailable(secondsLeft: max(configuration.retrySeconds, 1)) }
        let id = token.keyID.map { "\"\($0.bounded())\"" } ?? "none"
        return .invalidToken("expected a kid of one of the issuer's keys for \(token.algorithm.rawValue), found \(id)")
    }
}
