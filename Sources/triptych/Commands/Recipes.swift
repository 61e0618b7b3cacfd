import ArgumentParser
import Training

/// `triptych recipes`.
struct Recipes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the built-in recipes, and explains one.",
        discussion: """
            A recipe of a paper is composed of a system, a backbone and a data set. Its variants, the rows of the paper's \
            tables and a small sibling that learns from rendered data in minutes, follow its name behind colons:

              triptych recipes graft-rgbnt100
              triptych train --config graft-rgbnt100:table8-ddd:small --data data --output run

            Take one as the beginning of your own with --yaml, or compose yours of it: compose: [graft-rgbnt100]
            """)

    @Argument(help: "A recipe's name, perhaps with variants, or a YAML file; none lists all names.")
    var recipe: String?
    @Flag(help: "Print the recipe alone, each value with its source.")
    var yaml = false
    @Flag(help: "Print all as JSON.")
    var json = false

    func validate() throws {
        if yaml, recipe == nil { throw ValidationError("--yaml: expected the name of a recipe, found none") }
    }

    func run() throws {
        guard let recipe else { return try list() }
        let description = try RecipeDescription(config: recipe)
        if json { return try Output.json(description) }
        if !yaml { explain(description) }
        print(description.yaml, terminator: description.yaml.hasSuffix("\n") ? "" : "\n")
    }

    private func list() throws {
        let descriptions = try RecipeLibrary.names.map { try RecipeDescription(config: $0) }
        if json { return try Output.json(descriptions) }
        Output.columns(
            [["name", "system", "data set", "variants", "about"]]
                + descriptions.map { recipe in
                    [
                        recipe.name, recipe.system.rawValue, recipe.card.dataset ?? "", "\(recipe.variants.count)",
                        recipe.card.about ?? "",
                    ]
                })
        print("\ntriptych recipes NAME explains one.")
    }

    private func explain(_ recipe: RecipeDescription) {
        let card = recipe.card
        print(recipe.name + (card.about.map { ": " + $0 } ?? ""))
        if let reported = card.reported { print("reported by the paper: \(reported.text)") }
        if !recipe.parts.isEmpty { print("composed of: \(recipe.parts.joined(separator: ", "))") }
        print()
        for command in commands(recipe) { print("  \(command)") }
        print()
        if !recipe.variants.isEmpty, card.variant == nil {
            Output.columns(
                [["\(recipe.name):", "variants", "the paper's figures"]]
                    + recipe.variants.map { [":\($0.name)", $0.card.about ?? "", $0.card.reported?.text ?? ""] })
            print()
        }
    }

    /// From nothing to figures.
    private func commands(_ recipe: RecipeDescription) -> [String] {
        let (card, config) = (recipe.card, "--config \(recipe.name)")
        var commands: [String] = []
        var start = ""
        if let model = card.pretrained?.suffix(after: "a model of ") {
            commands.append("triptych train --config \(model) --data … --output START")
            start = " --init START/model.safetensors"
        } else if let weights = card.pretrained {
            commands.append("triptych import \(config) --weights WEIGHTS --output start.safetensors  # \(weights)")
            start = " --init start.safetensors"
        }
        if card.dataset == "triples", card.pretrained == nil {
            commands.append(
                "triptych synthesize --output DATA --identities 300 --cameras 4 --sightings 2 --height 48 --width 96")
        }
        commands.append("triptych train \(config) --data DATA\(start) --output RUN")
        let measure = card.evaluate.map { " " + $0 } ?? ""
        commands.append("triptych evaluate --checkpoint RUN/model.safetensors --data DATA\(measure)")
        return commands
    }
}

extension String {
    /// What follows a beginning; nil for another one.
    fileprivate func suffix(after beginning: String) -> Substring? {
        hasPrefix(beginning) ? dropFirst(beginning.count) : nil
    }
}
