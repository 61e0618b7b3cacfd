import Documents
import Inference

extension Recipe {
    /// This recipe as pruning runs it: its last stage alone, of so many steps, on a model that is there. Its YAML says so too, with
    /// the comments of what stays.
    ///
    /// Throws `RecipeError`, or `DocumentError` for what the model cannot do.
    func fineTuning(_ model: ModelConfiguration, steps: Int) throws -> Recipe {
        var members = try YAMLDocument.parse(yaml).object ?? [:]
        var stage = members["stages"]?.array?.last?.object ?? [:]
        // A stage has a step at least: where nothing is trained its length stays what it was.
        if steps > 0 { (stage["epochs"], stage["steps"]) = (nil, .integer(steps)) }
        // By its place, if by nothing else.
        if stages.count > 1 { stage["name"] = stages.last.map { .string($0.name) } }
        members["stages"] = .array([.object(stage)])
        members["model"] = try model.recipeSection()
        // It is the head's now.
        members["dropout"] = nil
        let notes = try YAMLDocument.notes(yaml).compactMap { path, note in
            Self.kept(path, ofStages: stages.count).map { ($0, note) }
        }
        let text = try YAMLDocument.text(
            .object(members), first: RecipeComposition.order, notes: Dictionary(uniqueKeysWithValues: notes))
        var recipe = try Recipe(yaml: text)
        // With all that a recipe does not say of it.
        recipe.model = model
        return recipe
    }

    /// Where a comment stands once the last stage is the only one; nil for one about what is no longer there.
    private static func kept(_ path: [String], ofStages count: Int) -> [String]? {
        guard path.first != "model" else { return nil }
        guard path.first == "stages", path.count > 2 else { return path }
        guard path[1] == "\(count - 1)", path[2] != "steps" else { return nil }
        return ["stages", "0"] + path.dropFirst(2)
    }
}

extension ModelConfiguration {
    /// The `model` of a recipe for it: all that it is, with defaults, but for what comes from data and from training.
    ///
    /// Throws `DocumentError` if the configuration is not valid.
    package func recipeSection() throws(DocumentError) -> JSONValue {
        var plain = self
        (plain.identities, plain.training, plain.pruning, plain.quantization) = (nil, nil, nil, nil)
        var members = try JSONParser.parse(Array(plain.json().utf8)).object ?? [:]
        members["format"] = nil
        if case .object(var head)? = members["head"], case .object(var text)? = head["text"] {
            text["vocabulary"] = nil
            head["text"] = .object(text)
            members["head"] = .object(head)
        }
        return .object(members)
    }
}
