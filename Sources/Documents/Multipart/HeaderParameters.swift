import Foundation

/// The parameters of a header's value, as in `form-data; name="rgb"` (RFC 9110, section 5.6.6).
struct HeaderParameters {
    private var values: [String: String] = [:]

    init(_ header: String) {
        var rest = header.drop { $0 != ";" }
        while rest.first == ";" {
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(name.count)
            guard rest.first == "=" else { continue }
            let (value, remainder) = Self.value(rest.dropFirst())
            // The first of two equal names counts.
            let key = name.trimmingCharacters(in: .whitespaces).lowercased()
            values[key] = values[key] ?? value
            rest = remainder.drop { $0 != ";" }
        }
    }

    subscript(name: String) -> String? { values[name] }

    /// A token or a quoted string, and what follows it.
    private static func value(_ text: Substring) -> (String, Substring) {
        guard text.first == "\"" else {
            let token = text.prefix { $0 != ";" }
            return (token.trimmingCharacters(in: .whitespaces), text.dropFirst(token.count))
        }
        var value = ""
        var rest = text.dropFirst()
        while let character = rest.popFirst(), character != "\"" {
            if character == "\\", let escaped = rest.popFirst() {
                value.append(escaped)
            } else {
                value.append(character)
            }
        }
        return (value, rest)
    }
}
