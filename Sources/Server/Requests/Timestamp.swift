import Foundation

/// Times as RFC 3339 writes them.
enum Timestamp {
    private static let whole = Date.ISO8601FormatStyle()
    private static let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// With milliseconds, in UTC.
    static func text(_ date: Date) -> String { date.formatted(fractional) }

    /// With or without fractions of a second; nil for anything else.
    static func date(_ text: String) -> Date? {
        (try? whole.parse(text)) ?? (try? fractional.parse(text))
    }
}
