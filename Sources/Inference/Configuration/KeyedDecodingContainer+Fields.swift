import Documents

// Fields whose refusal names them, with what was expected and found: Foundation's own errors leave the field out for a
// number that the type cannot hold.

extension KeyedDecodingContainer {
    /// A whole number.
    func whole(_ key: Key) throws -> Int {
        let value = try decode(JSONValue.self, forKey: key)
        guard let whole = value.integer else { throw refusal(key, expected: "a whole number", found: value) }
        return whole
    }

    /// A whole number, or `absent` where there is no such key.
    func whole(_ key: Key, absent: Int) throws -> Int {
        contains(key) ? try whole(key) : absent
    }

    /// Whole numbers, or nil where there is no such key.
    func wholes(_ key: Key) throws -> [Int]? {
        guard contains(key) else { return nil }
        let value = try decode(JSONValue.self, forKey: key)
        guard let wholes = value.wholes else { throw refusal(key, expected: "a list of whole numbers", found: value) }
        return wholes
    }

    /// Lists of whole numbers, or nil where there is no such key.
    func listsOfWholes(_ key: Key) throws -> [[Int]]? {
        guard contains(key) else { return nil }
        let value = try decode(JSONValue.self, forKey: key)
        let lists = value.array?.compactMap(\.wholes)
        guard let lists, lists.count == value.array?.count else {
            throw refusal(key, expected: "lists of whole numbers", found: value)
        }
        return lists
    }

    /// A number, or `absent` where there is no such key.
    func number(_ key: Key, absent: Double) throws -> Double {
        guard contains(key) else { return absent }
        let value = try decode(JSONValue.self, forKey: key)
        guard let number = value.number else { throw refusal(key, expected: "a number", found: value) }
        return number
    }

    /// Numbers by modality. One too large for a `Float` becomes infinite, which validation refuses.
    func channels(_ key: Key) throws -> [Modality: [Float]] {
        try decode([Modality: JSONValue].self, forKey: key).mapValues { value in
            let numbers = value.array?.compactMap { $0.number.map(Float.init) }
            guard let numbers, numbers.count == value.array?.count else {
                throw refusal(key, expected: "an array of numbers for each modality", found: value)
            }
            return numbers
        }
    }

    /// One of a closed set of names, whose refusal lists them all.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type, _ key: Key) throws -> Choice {
        try Choice.named(try decode(String.self, forKey: key), field: ConfigurationError.path(codingPath + [key]))
    }

    private func refusal(_ key: Key, expected: String, found: JSONValue) -> ConfigurationError {
        ConfigurationError(field: ConfigurationError.path(codingPath + [key]), expected: expected, found: found.text)
    }
}

extension JSONValue {
    /// The elements, if this is an array of whole numbers.
    fileprivate var wholes: [Int]? {
        guard let array else { return nil }
        let wholes = array.compactMap(\.integer)
        return wholes.count == array.count ? wholes : nil
    }
}

extension RawRepresentable<String> where Self: CaseIterable {
    static func named(_ name: String, field: String) throws(ConfigurationError) -> Self {
        guard let value = Self(rawValue: name) else {
            let expected = "one of " + allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError(field: field, expected: expected, found: "\"\(name)\"")
        }
        return value
    }
}
