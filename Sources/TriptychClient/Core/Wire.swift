import Documents
import Foundation

/// JSON as the API has it: snake_case keys, times in RFC 3339 with milliseconds.
package enum Wire {
    /// Writes values as requests have them.
    package static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(text(date))
        }
        return encoder
    }

    /// Throws `ClientError.unexpectedAnswer` for anything but JSON of that form. Members that it does not know are ignored.
    static func decode<Value: Decodable>(_ type: Value.Type = Value.self, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = date(text) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "no RFC 3339 time")
            }
            return date
        }
        do {
            return try decoder.decode(type, from: data)
        } catch {
            let found = String(decoding: data.prefix(200), as: UTF8.self)
            throw ClientError.unexpectedAnswer("expected \(type), found \(found) (\(error))")
        }
    }

    /// A value's members, to which others are added before it is sent.
    static func members(_ value: some Encodable) throws -> [String: JSONValue] {
        try JSONDecoder().decode([String: JSONValue].self, from: encoder().encode(value))
    }

    /// A time as requests have it, in UTC.
    package static func text(_ date: Date) -> String {
        // Rounded: a time of so many milliseconds is not exactly that many in binary.
        let milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded())
        let rest = ((milliseconds % 1000) + 1000) % 1000
        let seconds = Date(timeIntervalSince1970: Double((milliseconds - rest) / 1000)).formatted(.iso8601)
        return seconds.dropLast() + String(format: ".%03dZ", rest)
    }

    /// A time as answers have it; nil for anything else.
    package static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
            ?? (try? Date(text, strategy: .iso8601))
    }
}

/// The members that are there.
func given(_ members: [String: JSONValue?]) -> [String: JSONValue] { members.compactMapValues { $0 } }

/// What an update does with a member of a record.
public enum Change<Value: Sendable>: Sendable {
    /// It stays as it is.
    case keep
    /// It is no more.
    case remove
    /// It is this from now on.
    case set(Value)

    /// The member of a merge patch (RFC 7396); nil for none.
    func member(_ value: (Value) -> JSONValue) -> JSONValue? {
        switch self {
        case .keep: nil
        case .remove: .null
        case .set(let new): value(new)
        }
    }
}

/// The client's own values of a gallery, an identity or a sighting: flat, of texts, numbers and truth values.
public typealias Metadata = [String: JSONValue]
