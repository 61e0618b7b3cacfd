import Documents
import Foundation
import Inference

/// The members of a JSON object that is being read: types are checked, and `finish` refuses what nobody asked for.
struct JSONFields {
    fileprivate let members: [String: JSONValue]
    private let path: String
    private var asked: Set<String> = []

    /// Throws `RequestError.invalid` if the value is not an object.
    init(_ value: JSONValue, path: String) throws(RequestError) {
        guard let members = value.object else {
            throw .invalid(field: path.isEmpty ? "body" : path, expected: "an object", found: Self.kind(value))
        }
        self.members = members
        self.path = path
    }

    /// Reads a document. Throws `RequestError.brokenJSON` with the position.
    init(document bytes: [UInt8], path: String = "") throws(RequestError) {
        do {
            try self.init(JSONParser.parse(bytes), path: path)
        } catch let error as JSONParser.SyntaxError {
            throw .brokenJSON("\(error)")
        } catch let error as RequestError {
            throw error
        } catch {
            throw .brokenJSON("\(error)")
        }
    }

    /// An object without members.
    static var empty: JSONFields { JSONFields(members: [:]) }

    private init(members: [String: JSONValue]) {
        self.members = members
        path = ""
    }

    /// Whether there is such a member, of whatever type.
    func has(_ key: String) -> Bool { members[key].map { $0 != .null } ?? false }

    mutating func value(_ key: String) -> JSONValue? {
        asked.insert(key)
        return members[key].flatMap { $0 == .null ? nil : $0 }
    }

    mutating func string(_ key: String) throws(RequestError) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string else { throw invalid(key, "a string", value) }
        return text
    }

    mutating func bool(_ key: String) throws(RequestError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let truth = value.bool else { throw invalid(key, "true or false", value) }
        return truth
    }

    mutating func integer(_ key: String, _ range: ClosedRange<Int>) throws(RequestError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw invalid(key, "a whole number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return number
    }

    mutating func number(_ key: String, _ range: ClosedRange<Double>) throws(RequestError) -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = value.number, range.contains(number) else {
            throw invalid(key, "a number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return number
    }

    mutating func date(_ key: String) throws(RequestError) -> Date? {
        guard let value = value(key) else { return nil }
        guard let text = value.string, let date = Timestamp.date(text) else {
            throw invalid(key, "an RFC 3339 time such as 2026-01-31T12:00:00Z", value)
        }
        return date
    }

    mutating func strings(_ key: String) throws(RequestError) -> [String]? {
        guard let value = value(key) else { return nil }
        guard let array = value.array, array.allSatisfy({ $0.string != nil }) else {
            throw invalid(key, "a list of strings", value)
        }
        return array.compactMap(\.string)
    }

    mutating func integers(_ key: String, _ range: ClosedRange<Int>) throws(RequestError) -> [Int]? {
        guard let value = value(key) else { return nil }
        let numbers = value.array?.compactMap(\.integer) ?? []
        guard let array = value.array, numbers.count == array.count, numbers.allSatisfy(range.contains) else {
            throw invalid(key, "a list of whole numbers from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return numbers
    }

    mutating func object(_ key: String) throws(RequestError) -> JSONFields? {
        guard let value = value(key) else { return nil }
        return try JSONFields(value, path: name(key))
    }

    /// The names of all members.
    var keys: [String] { members.keys.sorted() }

    /// Throws `RequestError.unknownField` for a member that was not asked for.
    func finish() throws(RequestError) {
        if let unknown = keys.first(where: { !asked.contains($0) }) {
            throw .unknownField(name(unknown), expected: asked.sorted())
        }
    }

    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func invalid(_ key: String, _ expected: String, _ value: JSONValue) -> RequestError {
        .invalid(field: name(key), expected: expected, found: Self.kind(value))
    }

    /// A value for an error: short ones as they are, others by their type.
    static func kind(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let truth): "\(truth)"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .string(let text): text.count <= 64 ? "\"\(text)\"" : "a string of \(text.count) characters"
        case .array(let elements): "a list of \(elements.count)"
        case .object: "an object"
        }
    }
}

extension JSONFields {
    /// The members as text that depends on their values alone.
    var canonical: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: (try? encoder.encode(JSONValue.object(members))) ?? Data(), as: UTF8.self)
    }
}
