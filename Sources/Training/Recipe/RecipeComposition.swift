import Documents

/// A recipe as it is laid together: parts in order, its own keys, its variants, settings.
///
/// A part is a mapping, laid over what is there key by key; `null` takes a key away, and all but mappings are replaced whole.
/// What it names under `compose` is laid before it; what it says under `set`, by paths such as `stages.0.epochs`, is put in
/// after it. `variants` are such mappings too, laid when they are asked for.
package struct RecipeComposition {
    /// What stands behind a value.
    private struct Origin {
        /// The file or the built-in part that says it.
        let source: String
        /// The comment beside it.
        let note: String?
    }

    /// What is laid over the rest: a document, or a variant within one.
    private struct Layer {
        let source: String
        let value: JSONValue
        let notes: [[String]: String]
        /// Where it stands in its document.
        var place: [String] = []
    }

    /// All that has been laid.
    package private(set) var root = JSONValue.object([:])
    /// The parts, in the order in which they were laid.
    private(set) var parts: [String] = []
    /// What may be laid over it, by name.
    package var variants: [String] { known.keys.sorted() }

    private let source: RecipeSource
    private var known: [String: Layer] = [:]
    private var origins: [[String]: Origin] = [:]
    /// What is being laid, to find what composes itself.
    private var open: [String] = []
    /// Whether the text alone says it all.
    private var isPlain = true

    /// Lays a recipe and the variants that were asked for. Throws `RecipeError`.
    package init(_ source: RecipeSource, variants: [String] = []) throws {
        self.source = source
        try lay(source)
        for name in variants { try lay(variant: name) }
        if !variants.isEmpty { root = root.with(.string(variants.joined(separator: ":")), for: "variant") }
    }

    private mutating func lay(_ source: RecipeSource) throws {
        guard !open.contains(source.name) else {
            throw RecipeError.cycle(open.drop { $0 != source.name } + [source.name])
        }
        let value: JSONValue
        let notes: [[String]: String]
        do {
            (value, notes) = (try YAMLDocument.parse(source.text), try YAMLDocument.notes(source.text))
        } catch {
            throw RecipeError.unreadable(path: source.name, reason: "\(error)")
        }
        open.append(source.name)
        try lay(Layer(source: source.name, value: value, notes: notes))
        open.removeLast()
        if !open.isEmpty { parts.append(source.name) }
    }

    private mutating func lay(variant name: String) throws {
        guard let layer = known[name] else {
            throw RecipeError.unknownVariant(name, of: source.name, known: Spelling(name).nearestFirst(known.keys))
        }
        isPlain = false
        // The figures were those of the recipe without it.
        remove(["reported"])
        open.append("\(source.name):\(name)")
        try lay(layer)
        open.removeLast()
    }

    private mutating func lay(_ layer: Layer) throws {
        do {
            var fields = try Fields(layer.value, path: layer.place.joined(separator: "."))
            let parts = try fields.strings("compose") ?? []
            let (settings, variants) = (try fields.section("set").members, try fields.section("variants").members)
            for name in parts { try lay(try source.part(name, of: layer.source)) }
            var own = fields.members.filter { !["compose", "set", "variants"].contains($0.key) }
            if own.count < fields.members.count { isPlain = false }
            // Figures are of the recipe that says them, and not of what is composed of it.
            if layer.source != source.name { own["reported"] = nil }
            root = merged(root, with: .object(own), at: [], layer) ?? root
            for (key, value) in settings.sorted(by: { $0.key < $1.key }) { try put(value, at: key, layer) }
            for (name, value) in variants {
                known[name] = Layer(
                    source: layer.source, value: value, notes: layer.notes, place: layer.place + ["variants", name])
            }
        } catch let error as DocumentError {
            throw RecipeError.part(layer.source, error)
        }
    }
}

extension RecipeComposition {
    /// A value with another laid over it; nil for a key that is taken away.
    private mutating func merged(
        _ own: JSONValue?, with new: JSONValue, at path: [String], _ layer: Layer
    ) -> JSONValue? {
        guard let members = new.object else {
            forget(path)
            if new == .null { return nil }
            remember(new, at: path, layer, layer.place + path)
            return new
        }
        if own?.object == nil { forget(path) }
        var merged = own?.object ?? [:]
        for (key, value) in members {
            merged[key] = self.merged(merged[key], with: value, at: path + [key], layer)
        }
        return .object(merged)
    }

    /// Puts a value in by its path. Throws `DocumentError.invalid` for the index of a list that is not there.
    private mutating func put(_ value: JSONValue, at key: String, _ layer: Layer) throws(DocumentError) {
        let path = key.split(separator: ".").map(String.init)
        // Also what is taken away must be somewhere.
        root = try root.replacing(path[...], with: value, naming: key)
        forget(path)
        if value == .null {
            remove(path)
        } else {
            remember(value, at: path, layer, layer.place + ["set", key])
        }
    }

    private mutating func remove(_ path: [String]) {
        root = root.removing(path[...])
        forget(path)
    }

    private mutating func forget(_ path: [String]) {
        for key in origins.keys where key.starts(with: path) { origins[key] = nil }
    }

    private mutating func remember(_ value: JSONValue, at path: [String], _ layer: Layer, _ place: [String]) {
        for leaf in value.leaves {
            origins[path + leaf] = Origin(source: layer.source, note: layer.notes[place + leaf])
        }
    }
}

extension RecipeComposition {
    /// Changes one value, as `DocumentSetting` says; `null` takes it away.
    ///
    /// Throws `RecipeError`, or `DocumentError.invalid` for an index that is not there.
    mutating func set(_ text: String) throws {
        let setting: DocumentSetting?
        do {
            setting = try DocumentSetting(text)
        } catch {
            throw RecipeError.unreadable(path: text, reason: "\(error)")
        }
        guard let setting else { throw RecipeError.unreadableSetting(text) }
        isPlain = false
        root = try setting.applied(to: root)
        if setting.value == .null { return remove(setting.path) }
        forget(setting.path)
        for leaf in setting.value.leaves {
            origins[setting.path + leaf] = Origin(source: source.name, note: "--set")
        }
    }

    /// Throws `DocumentError.invalid` for a setting that changes nothing, as another key takes its place.
    func checkShadows(_ settings: [String]) throws(DocumentError) {
        let shadows = [(path: "model.head.dropout", by: "dropout")]
        for (path, by) in shadows {
            guard settings.contains(where: { $0.hasPrefix(path + "=") }), let value = root[by], value != .null else {
                continue
            }
            throw .invalid(
                field: path, expected: "no \(by) beside it, which takes its place: set that",
                found: "\(by): \(value.summary)")
        }
    }

    /// What it all comes to, a recipe of its own: each value with the comment that stood beside it. The text as it was given
    /// where there was nothing to lay. Throws `DocumentError.syntax`.
    func yaml() throws(DocumentError) -> String {
        isPlain ? source.text : try YAMLDocument.text(root, first: Self.order, notes: origins.compactMapValues(\.note))
    }

    /// What people read first.
    static let order = [
        "about", "dataset", "pretrained", "evaluate", "reported", "variant", "name", "system", "kind", "modalities",
        "model",
        "batch", "positives", "augment", "validation", "steps", "epochs", "optimizer", "momentum", "learning_rate",
        "weight_decay", "groups", "freeze", "schedule", "height", "width", "rgb", "nir", "tir",
    ]

    /// The values without a source: those of the model and its training that no comment stands beside.
    package var unexplained: [String] {
        origins.filter { $0.value.note == nil }.map { $0.key.joined(separator: ".") }.sorted()
    }

    /// An error about a value of a part, with the part's name. What the recipe itself says needs none.
    func located(_ error: DocumentError) -> any Error {
        let field: String
        switch error {
        case .invalid(let name, _, _), .unknownField(let name, _): field = name
        default: return error
        }
        let path = field.split(separator: ".").map(String.init)
        // The model's own checks name a field from there.
        for path in [path, ["model"] + path] {
            for length in stride(from: path.count, to: 0, by: -1) {
                let sources = origins.filter { $0.key.starts(with: path.prefix(length)) }.map(\.value.source)
                guard let first = sources.first else { continue }
                let isElsewhere = first != source.name && sources.allSatisfy { $0 == first }
                return isElsewhere ? RecipeError.part(first, error) : error
            }
        }
        return error
    }
}

extension JSONValue {
    /// The paths to scalars, and to lists without mappings.
    fileprivate var leaves: [[String]] {
        if let members = object, !members.isEmpty {
            return members.flatMap { key, value in value.leaves.map { [key] + $0 } }
        }
        if let elements = array, holdsMapping {
            return elements.enumerated().flatMap { index, value in value.leaves.map { ["\(index)"] + $0 } }
        }
        return [[]]
    }

    private var holdsMapping: Bool { object != nil || array?.contains { $0.holdsMapping } == true }

    /// The tree without a member.
    fileprivate func removing(_ keys: ArraySlice<String>) -> JSONValue {
        guard let key = keys.first else { return self }
        let rest = keys.dropFirst()
        if var elements = array, let index = Int(key), elements.indices.contains(index), !rest.isEmpty {
            elements[index] = elements[index].removing(rest)
            return .array(elements)
        }
        guard var members = object else { return self }
        members[key] = rest.isEmpty ? nil : members[key]?.removing(rest)
        return .object(members)
    }

    fileprivate func with(_ value: JSONValue, for key: String) -> JSONValue {
        .object((object ?? [:]).merging([key: value]) { $1 })
    }
}
