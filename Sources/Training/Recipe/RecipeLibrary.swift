import Documents
import Inference

/// The recipes of `deploy/recipes`, as they were when the program was built.
public enum RecipeLibrary {
    private static let texts = Dictionary(
        uniqueKeysWithValues: embedded.map { ($0.name, String(decoding: $0.bytes, as: UTF8.self)) })

    /// The recipes' names, sorted.
    public static let names = texts.keys.filter { !$0.contains("/") }.sorted()

    /// The names of what recipes can be composed of, recipes too, sorted.
    package static let parts = texts.keys.sorted()

    /// The YAML of a recipe or a part.
    package static func text(_ name: String) -> String? { texts[name] }
}

/// A recipe, explained.
public struct RecipeDescription: Sendable, Encodable {
    /// A way to change a recipe.
    public struct Variant: Sendable, Encodable {
        /// What comes behind the colon.
        public let name: String
        /// What it is.
        public let card: RecipeCard
    }

    /// What `--config` takes.
    public let name: String
    /// What it says of itself.
    public let card: RecipeCard
    /// Of the model.
    public let system: ModelConfiguration.System.Name
    /// What it is composed of, in the order in which that is laid.
    public let parts: [String]
    /// Sorted by name.
    public let variants: [Variant]
    /// The whole, each value with its source.
    public let yaml: String

    /// Composes and reads what a command takes as its recipe. Throws `RecipeError`, or `DocumentError` for a value that is
    /// refused. A few milliseconds, and as many for each variant.
    public init(config: String) throws {
        let (source, laid) = try RecipeSource.given(config)
        let composition = try RecipeComposition(source, variants: laid)
        let recipe = try Recipe(composition)
        (name, card, system, yaml) = (config, recipe.card, recipe.model.system.name, recipe.yaml)
        parts = composition.parts
        variants = try composition.variants.map { name in
            Variant(name: name, card: try Recipe(RecipeComposition(source, variants: laid + [name])).card)
        }
    }
}
