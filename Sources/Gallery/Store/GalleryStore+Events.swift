import Foundation

extension GalleryStore {
    /// The last event that was committed: whoever has been told it need not ask for more. O(1).
    public var lastEvent: Int64 { transactions.lastEvent }

    /// The events after one, in order: those of some hundred that a filter admits, and where to go on. Those of what was erased are
    /// not there any more. Throws `GalleryError.invalid`.
    public func events(after last: Int64, _ filter: EventFilter = EventFilter()) async throws -> EventBatch {
        try filter.validate()
        return try await transactions.events(after: last, filter)
    }

    /// Forgets events that are older; whoever has not been told them is told that there is a gap.
    public func forgetEvents(before time: Date) async throws { try await transactions.forgetEvents(before: time) }
}
