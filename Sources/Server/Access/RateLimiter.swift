import Serving
import Synchronization

/// A bucket of tokens (RFC 2697 without colours): one for each request, filled again evenly, a minute's worth at most. Pure; the
/// clock is elsewhere.
package struct TokenBucket: Equatable, Sendable {
    /// Requests a minute, and how many may come at once.
    package private(set) var perMinute: Int
    private var tokens: Double
    private var filled: ContinuousClock.Instant

    package init(perMinute: Int, at now: ContinuousClock.Instant) {
        (self.perMinute, tokens, filled) = (perMinute, Double(perMinute), now)
    }

    /// What a client is told (draft-ietf-httpapi-ratelimit-headers).
    package struct State: Equatable, Sendable {
        package let perMinute: Int
        /// Requests that may come at once.
        package let remaining: Int
        /// Until one more may.
        package let secondsLeft: Int
    }

    /// Has another rate from now on; what is left stays, up to its minute's worth.
    package mutating func change(perMinute: Int, at now: ContinuousClock.Instant) {
        guard perMinute != self.perMinute else { return }
        fill(at: now)
        self.perMinute = perMinute
        tokens = min(tokens, Double(perMinute))
    }

    /// Takes a token, if there is one.
    package mutating func take(at now: ContinuousClock.Instant) -> (isAllowed: Bool, state: State) {
        fill(at: now)
        let isAllowed = tokens >= 1
        if isAllowed { tokens -= 1 }
        let missing = (tokens.rounded(.down) + 1 - tokens) / rate
        return (
            isAllowed,
            State(perMinute: perMinute, remaining: Int(tokens), secondsLeft: max(Int(missing.rounded(.up)), 1))
        )
    }

    /// Whether it is as a new one would be.
    package func isFull(at now: ContinuousClock.Instant) -> Bool {
        var bucket = self
        bucket.fill(at: now)
        return bucket.tokens >= Double(perMinute)
    }

    private var rate: Double { Double(perMinute) / 60 }

    private mutating func fill(at now: ContinuousClock.Instant) {
        tokens = min(Double(perMinute), tokens + max(filled.duration(to: now).seconds, 0) * rate)
        filled = max(filled, now)
    }
}

/// A bucket for each client that sends requests. A full one is as good as none, so those of clients that have gone are forgotten:
/// a provider may have any number of subjects.
package struct TokenBuckets {
    private var buckets: [String: TokenBucket] = [:]
    /// How many there may be before the full ones are looked for.
    private var most = 1024

    package init() {}

    package var count: Int { buckets.count }

    /// Takes a token of a client's, if there is one. O(1) amortised.
    package mutating func take(
        _ client: String, perMinute: Int, at now: ContinuousClock.Instant
    ) -> (isAllowed: Bool, state: TokenBucket.State) {
        if buckets.count >= most {
            buckets = buckets.filter { !$0.value.isFull(at: now) }
            most = max(1024, 2 * buckets.count)
        }
        buckets[client, default: TokenBucket(perMinute: perMinute, at: now)].change(perMinute: perMinute, at: now)
        return buckets[client, default: TokenBucket(perMinute: perMinute, at: now)].take(at: now)
    }
}

/// How many requests each key, and each subject of a token, sends. Of a rate each of several servers has its share.
final class RateLimiter: Sendable {
    private let live: LiveConfiguration
    private let servers: Live<Int>
    private let buckets = Mutex(TokenBuckets())

    /// With the configuration's rate, or none, for keys that say nothing else, of so many servers together.
    init(_ live: LiveConfiguration, servers: Live<Int>) { (self.live, self.servers) = (live, servers) }

    /// Counts a request; nil if nothing bounds them. Throws `AccessError.tooManyRequests`.
    func count(
        _ principal: Principal, at now: ContinuousClock.Instant = .now
    ) throws(AccessError) -> TokenBucket.State? {
        guard let id = principal.id, let whole = principal.requestsPerMinute ?? live.limits.requestsPerMinute
        else { return nil }
        let perMinute = max(1, whole / max(1, servers.current))
        let (isAllowed, state) = buckets.withLock { $0.take(id, perMinute: perMinute, at: now) }
        guard isAllowed else { throw .tooManyRequests(perMinute: perMinute, secondsLeft: state.secondsLeft) }
        return state
    }
}
