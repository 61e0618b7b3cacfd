import Foundation

/// For how long things have been as they are, by this process's own clock: those of other machines may differ.
struct Stillness {
    private var seen: [String: (value: Date, since: ContinuousClock.Instant)] = [:]

    /// Since this value was seen first; zero for a new one.
    mutating func time(of key: String, at value: Date) -> Duration {
        if let known = seen[key], known.value == value { return known.since.duration(to: .now) }
        seen[key] = (value, .now)
        return .zero
    }

    /// Forgets what there is not any more.
    mutating func keep(_ keys: Set<String>) { seen = seen.filter { keys.contains($0.key) } }
}
