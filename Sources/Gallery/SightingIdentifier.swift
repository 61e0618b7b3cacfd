import Foundation

/// Names of sightings.
enum SightingIdentifier {
    /// A UUID of version 7 (RFC 9562 §5.7): 48 bits of time in milliseconds, then 74 random ones, in lower case.
    static func make(at time: Date) -> String {
        var generator = SystemRandomNumberGenerator()
        let milliseconds = UInt64(max(time.milliseconds, 0)) & 0xFFFF_FFFF_FFFF
        let high = milliseconds << 16 | 0x7000 | generator.next() & 0x0FFF
        let low = 0x8000_0000_0000_0000 | generator.next() >> 2
        let digits = hexadecimal(high) + hexadecimal(low)
        let ends = [0, 8, 12, 16, 20, 32].map { digits.index(digits.startIndex, offsetBy: $0) }
        return zip(ends, ends.dropFirst()).map { String(digits[$0..<$1]) }.joined(separator: "-")
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Date {
    /// Milliseconds since 1970, the nearest: the resolution of the database. For dates within the years 1 to 9999, in which
    /// `Date(milliseconds: m).milliseconds == m`.
    package var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }

    /// The nearest `Date`, which can be a little earlier: whoever shows it must round and not cut off.
    package init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// Now, as the database will give it back.
    static var stored: Date { Date(milliseconds: Date().milliseconds) }
}
