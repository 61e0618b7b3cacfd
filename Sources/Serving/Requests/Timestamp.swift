import Foundation

/// Times as RFC 3339 writes them, to the millisecond.
package enum Timestamp {
    /// With milliseconds, in UTC. A time out of the years 0 to 9999, which nothing stores, gives more digits or a sign.
    package static func text(_ date: Date) -> String {
        // Rounded: a time of so many milliseconds is not exactly that many in binary.
        let milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded())
        let (days, rest) = milliseconds.quotientAndRemainder(flooringBy: 86_400_000)
        let (year, month, day) = civil(days)
        let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)).\(padded(rest % 1000, 3))Z"
    }

    /// A `date-time` (RFC 3339, section 5.6) of the years 1 to 9999; what it has beyond milliseconds is dropped. A leap
    /// second, at the end of a month in UTC, is the second after it, as POSIX counts. nil for anything else.
    package static func date(_ text: String) -> Date? {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.take("Tt"), let hour = reader.number(2), reader.take(":"),
            let minute = reader.number(2), reader.take(":"), let second = reader.number(2),
            let milliseconds = reader.fraction(), let offset = reader.offset(), reader.rest.isEmpty,
            year >= 1, (1...12).contains(month), (1...days(in: month, of: year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        let minutes = daysSince1970(year, month, day) * 1440 + hour * 60 + minute - offset
        if second == 60 {
            let (days, rest) = minutes.quotientAndRemainder(flooringBy: 1440)
            guard rest == 1439, civil(days + 1).day == 1 else { return nil }
        }
        let total = (minutes * 60 + second) * 1000 + milliseconds
        guard (1...9999).contains(civil(total.quotientAndRemainder(flooringBy: 86_400_000).quotient).year) else {
            return nil
        }
        return Date(timeIntervalSince1970: Double(total) / 1000)
    }

    /// Reads ASCII.
    private struct Reader {
        var rest: ArraySlice<UInt8>

        /// Exactly so many digits.
        mutating func number(_ digits: Int) -> Int? {
            guard rest.count >= digits, rest.prefix(digits).allSatisfy(Self.isDigit) else { return nil }
            defer { rest = rest.dropFirst(digits) }
            return rest.prefix(digits).reduce(0) { $0 * 10 + Int($1 - 48) }
        }

        /// One of some characters.
        mutating func take(_ characters: StaticString) -> Bool {
            guard let next = rest.first, "\(characters)".utf8.contains(next) else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// A fraction's milliseconds; 0 if there is none, nil if it has no digits.
        mutating func fraction() -> Int? {
            guard take(".") else { return 0 }
            let digits = rest.prefix(while: Self.isDigit)
            rest = rest[digits.endIndex...]
            guard !digits.isEmpty else { return nil }
            return (0..<3).reduce(0) { $0 * 10 + ($1 < digits.count ? Int(digits[digits.startIndex + $1] - 48) : 0) }
        }

        /// Minutes east of UTC.
        mutating func offset() -> Int? {
            if take("Zz") { return 0 }
            let sign = rest.first == UInt8(ascii: "-") ? -1 : 1
            guard take("+-"), let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60 else {
                return nil
            }
            return sign * (hours * 60 + minutes)
        }

        private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    }

    private static func padded(_ number: Int, _ digits: Int) -> String {
        let text = "\(abs(number))"
        return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func days(in month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// Days since 1970-01-01 in the Gregorian calendar: H. Hinnant, "chrono-compatible low-level date algorithms",
    /// `days_from_civil`.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = year.quotientAndRemainder(flooringBy: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Its inverse: Hinnant's `civil_from_days`.
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(flooringBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int {
    /// Division whose remainder is not negative.
    fileprivate func quotientAndRemainder(flooringBy divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
