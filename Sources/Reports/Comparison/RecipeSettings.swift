import Documents

/// A recipe's values by their paths, such as `stages.0.learning_rate`.
struct RecipeSettings: Equatable {
    /// By path.
    let values: [String: JSONValue]

    /// Of a document; `extra` are values that are no part of it.
    init(_ document: JSONValue, extra: [String: JSONValue] = [:]) {
        var values = extra
        Self.collect(document, "", &values)
        self.values = values
    }

    private static func collect(_ value: JSONValue, _ path: String, _ values: inout [String: JSONValue]) {
        let under = { (key: String) in path.isEmpty ? key : "\(path).\(key)" }
        if let members = value.object, !members.isEmpty {
            for (key, member) in members { collect(member, under(key), &values) }
        } else if let elements = value.array, elements.contains(where: { $0.object != nil }) {
            for (index, element) in elements.enumerated() { collect(element, under("\(index)"), &values) }
        } else if value != .null {
            // 1.0 is no other value than 1.
            values[path] = value.integer.map(JSONValue.integer) ?? value
        }
    }

    /// The paths whose values are not the same in all, sorted.
    static func differing(_ all: [RecipeSettings]) -> [String] {
        Set(all.flatMap(\.values.keys)).filter { path in
            all.contains { $0.values[path] != all[0].values[path] }
        }.sorted()
    }

    /// A value as it is shown.
    static func text(_ value: JSONValue?) -> String {
        guard let value else { return "–" }
        if let number = value.number, value.integer == nil { return "\(Float(number))" }
        return value.string ?? value.summary
    }

    /// Each path by as little of its end as tells it from the others.
    static func shortened(_ paths: [String]) -> [String] {
        paths.map { path in
            let parts = path.split(separator: ".")
            for count in 1...max(parts.count, 1) {
                let end = parts.suffix(count).joined(separator: ".")
                let others = paths.filter { $0 == end || $0.hasSuffix(".\(end)") }
                if others.count == 1 { return end }
            }
            return path
        }
    }
}
