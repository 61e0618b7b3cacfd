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
    /// Of the whole document, for who wants to know what came from where.
    private let ledger: FieldLedger?
    private var asked: Set<String> = []

    /// The members of an object at a path; the empty path is the whole document. Throws `DocumentError.invalid` if the
    /// value is not an object.
    package init(
        _ value: JSONValue, path: String = "", unknown: Unknown = .refused, ledger: FieldLedger? = nil
    ) throws(DocumentError) {
        guard let members = value.object else {
            throw .invalid(field: ledger?.name(of: path) ?? path, expected: "an object", found: value.summary)
        }
        self.init(members: members, path: path, unknown: unknown, ledger: ledger)
    }

    /// Members as given.
    package init(
        members: [String: JSONValue], path: String = "", unknown: Unknown = .refused, ledger: FieldLedger? = nil
    ) {
        (self.members, self.path, self.unknown, self.ledger) = (members, path, unknown, ledger)
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
        ledger?.ask(name(key))
        guard let found = value(key) else { return nil }
        for meaning in ledger?.isText(name(key)) == true ? found.meanings : [found] {
            if let value = kind.read(meaning) {
                ledger?.note(name(key), meaning)
                return value
            }
        }
        throw invalid(key, kind.expected, found)
    }

    /// A member of a kind that must be there.
    package mutating func require<Value>(_ key: String, _ kind: FieldKind<Value>) throws(DocumentError) -> Value {
        guard let value = try read(key, kind) else { throw invalid(key, kind.expected, nil) }
        return value
    }

    /// Throws `DocumentError.unknownField` for a member that was not asked for, unless such are ignored.
    package func finish() throws(DocumentError) {
        guard unknown == .refused, let stranger = keys.first(where: { !asked.contains($0) }) else { return }
        let known = Spelling(stranger).nearestFirst(asked)
        guard let ledger, let given = ledger.name(of: name(stranger)) else {
            throw .unknownField(name(String(stranger.prefix(64))), expected: known)
        }
        throw .unknownField(given, expected: known.map { ledger.name(of: name($0), beside: name(stranger)) })
    }

    /// An error about a member.
    package func invalid(_ key: String, _ expected: String, _ found: JSONValue?) -> DocumentError {
        .invalid(
            field: ledger?.name(of: name(key)) ?? name(key), expected: expected, found: found?.summary ?? "nothing")
    }
}

extension Fields {
    /// Reads a member of a kind, if it is there, in place of its default; notes what it is now.
    package mutating func read<Value: DocumentValue>(
        _ key: String, _ kind: FieldKind<Value>, into target: inout Value
    ) throws(DocumentError) {
        if let value = try read(key, kind) {
            target = value
        } else {
            ledger?.noteDefault(name(key), target.documentValue)
        }
    }

    /// The same where nothing is the default.
    package mutating func read<Value: DocumentValue>(
        _ key: String, _ kind: FieldKind<Value>, into target: inout Value?
    ) throws(DocumentError) {
        if let value = try read(key, kind) {
            target = value
        } else {
            ledger?.noteDefault(name(key), target?.documentValue ?? .null)
        }
    }
}

extension Fields {
    /// An object within, or nil for an absent one.
    package mutating func object(_ key: String) throws(DocumentError) -> Fields? {
        let object = try objectIfAny(key)
        if object == nil { ledger?.noteDefault(name(key), .null) }
        return object
    }

    /// An object within, empty for an absent one.
    package mutating func section(_ key: String) throws(DocumentError) -> Fields {
        try objectIfAny(key) ?? Fields(members: [:], path: name(key), unknown: unknown, ledger: ledger)
    }

    private mutating func objectIfAny(_ key: String) throws(DocumentError) -> Fields? {
        guard let value = value(key) else { return nil }
        if ledger?.isText(name(key)) == true { throw invalid(key, "an object", value) }
        return try Fields(value, path: name(key), unknown: unknown, ledger: ledger)
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
package struct Spelling {
    private let name: [Character]

    /// Long names are cut: they are no misspelling of a known one.
    package init(_ name: String) { self.name = Array(name.prefix(64)) }

    /// Names, the nearest first, equally near ones in alphabetical order.
    package func nearestFirst(_ known: some Collection<String>) -> [String] {
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
