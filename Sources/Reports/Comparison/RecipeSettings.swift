import Documents

/// A recipe's values by their paths, such as `stages.0.learning_rate`.
struct RecipeSettings: Equatable {
    /// By path.
    let values: [String: JSONValue]
    /// The stages' names in order, where they are in the paths in place of numbers; otherwise none.
    let stages: [String]

    /// Of a document; `extra` are values that are no part of it.
    ///
    /// - Parameter isByName: whether a stage's path has its name, as in `stages.frozen.steps`, and `stages` is the list of them.
    init(_ document: JSONValue, extra: [String: JSONValue] = [:], isByName: Bool = false) {
        var (values, members) = (extra, document.object ?? [:])
        stages = isByName ? Self.stageNames(document) : []
        if isByName {
            values["stages"] = .string(stages.joined(separator: ", "))
            members["stages"] = .object(Dictionary(uniqueKeysWithValues: zip(stages, Self.unnamed(document))))
        }
        Self.collect(.object(members), "", &values)
        self.values = values
    }

    /// The names of a recipe's stages in order. One without a name has its place, and so have all where two share one.
    static func stageNames(_ document: JSONValue) -> [String] {
        let stages = document["stages"]?.array ?? []
        let places = stages.indices.map(String.init)
        let names = zip(stages, places).map { stage, place in
            // What fine-tuning calls a stage that had no name.
            stage["name"]?.string.map { $0.hasPrefix("stages.") ? String($0.dropFirst(7)) : $0 } ?? place
        }
        return Set(names).count == names.count ? names : places
    }

    private static func unnamed(_ document: JSONValue) -> [JSONValue] {
        (document["stages"]?.array ?? []).map { stage in
            .object((stage.object ?? [:]).filter { $0.key != "name" })
        }
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

    /// The paths whose values are not the same in all, sorted; those of a named stage in all that have it.
    static func differing(_ all: [RecipeSettings]) -> [String] {
        Set(all.flatMap(\.values.keys)).filter { path in
            let stage = all.lazy.flatMap(\.stages).first { path.hasPrefix("stages.\($0).") }
            let those = all.filter { settings in stage.map(settings.stages.contains) ?? true }
            return those.contains { $0.values[path] != those[0].values[path] }
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
