import Foundation

/// How often, and after which pauses, a request is sent again.
///
/// That is done after a connection that failed and after 429 and 503, and only with what may be carried out twice: what only
/// reads, what sets values or erases, and what has an `Idempotency-Key`. What was not answered within the timeout is not sent
/// again: it may still be under way.
public struct RetryPolicy: Sendable, Equatable {
    /// Tries after the first one.
    public var retries: Int
    /// Before the first of them; twice as long before each further one.
    public var firstPause: Duration
    /// No pause is longer, and a server that asks for a longer one is not asked again.
    public var longestPause: Duration

    /// Four times, after a quarter of a second, a half, one and two.
    public init(
        retries: Int = 4, firstPause: Duration = .milliseconds(250), longestPause: Duration = .seconds(30)
    ) {
        (self.retries, self.firstPause, self.longestPause) = (max(0, retries), firstPause, longestPause)
    }

    /// Every failure is the caller's.
    public static let none = RetryPolicy(retries: 0)

    /// How long to wait before another try; nil for none.
    ///
    /// - Parameters:
    ///   - error: what went wrong.
    ///   - number: how many tries were made again already.
    ///   - isRepeatable: whether the request may be carried out twice.
    ///   - jitter: 0 to 1, at random: not all clients that were refused come again at once.
    package func pause(after error: any Error, _ number: Int, isRepeatable: Bool, jitter: Double) -> Duration? {
        guard number < retries else { return nil }
        let backoff = min(longestPause, firstPause * (1 << min(number, 20))) * (0.5 + jitter / 2)
        switch error {
        case ClientError.connectionFailed(_, _, let wasSent):
            return isRepeatable || !wasSent ? backoff : nil
        case let problem as Problem where problem.status == 429 || problem.status == 503:
            let told = Duration.seconds(problem.retryAfter ?? 0)
            // What was too much for a key was refused before anything was done.
            guard isRepeatable || problem.status == 429, told <= longestPause else { return nil }
            return told + backoff
        default: return nil
        }
    }
}
