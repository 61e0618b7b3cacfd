import Foundation

/// Somebody who is called with what happens.
///
/// There is no queue of calls: a webhook is a place among the events, which moves on as they are taken. So it cannot grow, what is
/// erased is called no more, and one that is killed goes on where it was.
public struct Webhook: Equatable, Sendable {
    /// Its name.
    public let id: String
    /// What is called.
    public let url: String
    /// Which events it wants.
    public let filter: EventFilter
    /// When it was made.
    public let createdAt: Date
    /// The last event that it has taken, or that was not for it.
    public var position: Int64
    /// Events that it has taken.
    public var delivered: Int
    /// Calls in a row that have failed.
    public var failures: Int
    /// When the first of them did.
    public var failingSince: Date?
    /// When it is called again after a failure.
    public var nextAt: Date?
    /// Whether it was given up: it is not called any more until it is revived.
    public var isDead: Bool
    /// Why the last call has failed.
    public var lastError: String?

    /// How many a server has at most.
    public static let most = 100

    /// One that wants what comes after an event. Throws `GalleryError.invalid`.
    public init(url: String, filter: EventFilter, after position: Int64) throws {
        try filter.validate()
        (id, self.url, self.filter) = (UUID().uuidString.lowercased(), url, filter)
        (createdAt, self.position) = (.stored, position)
        (delivered, failures, isDead) = (0, 0, false)
    }

    init(
        id: String, url: String, filter: EventFilter, createdAt: Date, position: Int64, delivered: Int, failures: Int,
        failingSince: Date?, nextAt: Date?, isDead: Bool, lastError: String?
    ) {
        (self.id, self.url, self.filter, self.createdAt) = (id, url, filter, createdAt)
        (self.position, self.delivered, self.failures) = (position, delivered, failures)
        (self.failingSince, self.nextAt, self.isDead, self.lastError) = (failingSince, nextAt, isDead, lastError)
    }

    /// How its calls go.
    public enum State: String, Encodable, CaseIterable, Sendable {
        /// The last was taken, or there was none yet.
        case active
        /// The last was not; it is repeated.
        case failing
        /// It was given up.
        case dead
    }

    /// How its calls go.
    public var state: State { isDead ? .dead : failures > 0 ? .failing : .active }

    /// Whether it may be called at a time.
    public func isDue(at now: Date) -> Bool { !isDead && nextAt.map { $0 <= now } ?? true }

    /// It has taken an event, or that one was not for it.
    public mutating func advance(to event: Int64, delivering count: Int) {
        (position, delivered) = (event, delivered + count)
        if count > 0 { (failures, failingSince, nextAt, lastError) = (0, nil, nil, nil) }
    }

    /// A call has failed: the next comes after a pause that doubles from a second to an hour, and none once it has failed for so
    /// long.
    public mutating func fail(_ reason: String, at now: Date, givingUpAfter limit: TimeInterval) {
        failures += 1
        let since = failingSince ?? now
        (failingSince, lastError) = (since, reason)
        nextAt = now.addingTimeInterval(min(3600, pow(2, Double(min(failures - 1, 12)))))
        isDead = now.timeIntervalSince(since) >= limit
    }

    /// It is called again, from where it was.
    public mutating func revive() {
        (isDead, failures, failingSince, nextAt) = (false, 0, nil, nil)
    }
}
