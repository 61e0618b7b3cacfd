/// The members of an object or a mapping that is being read: the one strict reader of requests, configurations and recipes.
///
/// Types and ranges are checked, and ``finish()`` refuses what nobody asked for. `null` counts as absent. What is wrong
/// is said as `DocumentError.invalid` or `.unknownField`, with the field's path in the document.
package struct Fields {
    /// Whether ``finish()`` refuses fields that nobody asked for.
    package enum Unknown: Sendable {
        case refused
        /// A later version of the program may have written them.
        case ignored
    }

    /// All members, asked for or not.
    package let members: [String: JSONValue]
    /// Where they stand in the document; empty for the whole.
    package let path: String
    private let unknown: Unknown
    private var asked: Set<String> = []

    /// The members of an object at a path; the empty path is the whole document. Throws `DocumentError.invalid` if the
    /// value is not an object.
    package init(_ value: JSONValue, path: String = "", unknown: Unknown = .refused) throws(DocumentError) {
        guard let members = value.object else {
            throw .invalid(field: path, expected: "an object", found: value.summary)
        }
        self.init(members: members, path: path, unknown: unknown)
    }

    /// Members as given.
    package init(members: [String: JSONValue], path: String = "", unknown: Unknown = .refused) {
        (self.members, self.path, self.unknown) = (members, path, unknown)
    }

    /// An object without members.
    package static var empty: Fields { Fields(members: [:]) }

    /// The names of all members.
    package var keys: [String] { members.keys.sorted() }

    /// The path of a member.
    package func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Whether there is such a member, of whatever type.
    package func has(_ key: String) -> Bool { members[key, default: .null] != .null }

    /// A member of whatever type, or nil for an absent one.
    package mutating func value(_ key: String) -> JSONValue? {
        asked.insert(key)
        return members[key].flatMap { $0 == .null ? nil : $0 }
    }

    /// A member of a kind, or nil for an absent one.
    package mutating func read<Value>(_ key: String, _ kind: FieldKind<Value>) throws(DocumentError) -> Value? {
        guard let found = value(key) else { return nil }
        guard let value = kind.read(found) else { throw invalid(key, kind.expected, found) }
        return value
    }

    /// A member of a kind that must be there.
    package mutating func require<Value>(_ key: String, _ kind: FieldKind<Value>) throws(DocumentError) -> Value {
        guard let value = try read(key, kind) else { throw invalid(key, kind.expected, nil) }
        return value
    }

    /// Throws `DocumentError.unknownField` for a member that was not asked for, unless such are ignored.
    package func finish() throws(DocumentError) {
        guard unknown == .refused, let stranger = keys.first(where: { !asked.contains($0) }) else { return }
        throw .unknownField(name(String(stranger.prefix(64))), expected: Spelling(stranger).nearestFirst(asked))
    }

    /// An error about a member.
    package func invalid(_ key: String, _ expected: String, _ found: JSONValue?) -> DocumentError {
        .invalid(field: name(key), expected: expected, found: found?.summary ?? "nothing")
    }
}

extension Fields {
    /// An object within, or nil for an absent one.
    package mutating func object(_ key: String) throws(DocumentError) -> Fields? {
        guard let value = value(key) else { return nil }
        return try Fields(value, path: name(key), unknown: unknown)
    }

    /// An object within, empty for an absent one.
    package mutating func section(_ key: String) throws(DocumentError) -> Fields {
        try object(key) ?? Fields(members: [:], path: name(key), unknown: unknown)
    }

    /// An object within that must be there.
    package mutating func requireObject(_ key: String) throws(DocumentError) -> Fields {
        guard let object = try object(key) else { throw invalid(key, "an object", nil) }
        return object
    }

    /// The objects of a list, with paths such as `stages.0`, or nil for an absent one.
    package mutating func objects(_ key: String) throws(DocumentError) -> [Fields]? {
        guard let elements = try read(key, .list(of: "objects", .any)) else { return nil }
        var objects: [Fields] = []
        for (index, element) in elements.enumerated() {
            objects.append(try Fields(element, path: "\(name(key)).\(index)", unknown: unknown))
        }
        return objects
    }

    /// The objects of a list that must be there.
    package mutating func requireObjects(_ key: String) throws(DocumentError) -> [Fields] {
        guard let objects = try objects(key) else { throw invalid(key, "a list of objects", nil) }
        return objects
    }

    package mutating func string(_ key: String) throws(DocumentError) -> String? { try read(key, .string) }

    package mutating func bool(_ key: String) throws(DocumentError) -> Bool? { try read(key, .bool) }

    package mutating func integer(_ key: String, _ range: ClosedRange<Int>) throws(DocumentError) -> Int? {
        try read(key, .integer(range))
    }

    package mutating func number(_ key: String, _ range: ClosedRange<Double>) throws(DocumentError) -> Double? {
        try read(key, .number(range))
    }

    package mutating func strings(_ key: String) throws(DocumentError) -> [String]? { try read(key, .strings) }

    package mutating func integers(_ key: String, _ range: ClosedRange<Int>) throws(DocumentError) -> [Int]? {
        try read(key, .integers(range))
    }
}

/// How near known names are to a misspelt one.
struct Spelling {
    private let name: [Character]

    /// Long names are cut: they are no misspelling of a known one.
    init(_ name: String) { self.name = Array(name.prefix(64)) }

    /// Names, the nearest first, equally near ones in alphabetical order.
    func nearestFirst(_ known: some Collection<String>) -> [String] {
        known.map { (distance(to: $0), $0) }.sorted { $0 < $1 }.map(\.1)
    }

    /// The fewest characters to insert, remove or replace (Levenshtein, 1966). O(product of the lengths).
    private func distance(to other: String) -> Int {
        var row = Array(0...name.count)
        for character in other {
            var diagonal = row[0]
            row[0] += 1
            for (index, own) in name.enumerated() {
                let replaced = diagonal + (own == character ? 0 : 1)
                diagonal = row[index + 1]
                row[index + 1] = min(replaced, diagonal + 1, row[index] + 1)
            }
        }
        return row[name.count]
    }
}
