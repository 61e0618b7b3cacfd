import Documents
import Foundation
import Testing

import Training

@Suite("Composed recipes")
struct RecipeCompositionTests {
    /// A folder of recipes, for as long as the test runs.
    private func folder(
        _ files: [String: String], _ body: (URL) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            let file = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        try body(folder)
    }

    private func composed(_ files: [String: String], variants: [String] = []) throws -> JSONValue {
        var root = JSONValue.null
        try folder(files) {
            root = try RecipeComposition(
                RecipeSource(path: $0.appendingPathComponent("r.yaml").path), variants: variants
            ).root
        }
        return root
    }

    @Test("parts are laid in order, key by key, the recipe's own keys last; set replaces whole values")
    func order() throws {
        let root = try composed([
            "r.yaml": "compose: [a, parts/b]\nm: {own: 1}\nset: {l.0.x: 9, s: {only: 1}, gone: null}",
            "a.yaml": "m: {own: 0, a: 1, both: 1}\nl: [{x: 1, y: 2}]\ns: {k: 1}\ngone: 3\nalso: 4",
            "parts/b.yaml": "compose: [c]\nm: {both: 2}\nalso: null",
            "c.yaml": "m: {both: 0, c: 3}",
        ])
        #expect(
            try root == YAMLDocument.parse("m: {own: 1, a: 1, both: 2, c: 3}\nl: [{x: 9, y: 2}]\ns: {only: 1}"))
    }

    @Test("variants are laid in the order asked for, may compose, and are named in what comes of it")
    func variants() throws {
        let files = [
            "r.yaml": "a: 1\nb: 1\nvariants: {x: {a: 2, set: {b: 2}}, y: {compose: [p], b: 3}}\nreported: {source: t}",
            "p.yaml": "c: 4\nreported: {source: p}",
        ]
        #expect(
            try composed(files, variants: ["x", "y"])
                == YAMLDocument.parse("a: 2\nb: 3\nc: 4\nvariant: \"x:y\""))
        #expect(try composed(files)["reported"] != nil)
        #expect {
            _ = try composed(files, variants: ["z"])
        } throws: {
            guard case RecipeError.unknownVariant("z", _, let known) = $0 else { return false }
            return known == ["x", "y"]
        }
    }

    @Test(
        "what cannot be laid is refused with its file's name",
        arguments: [
            (
                ["r.yaml": "compose: [a]", "a.yaml": "compose: [b]", "b.yaml": "compose: [a]"],
                "a.yaml > .*b.yaml > .*a.yaml"
            ),
            (["r.yaml": "compose: [r]"], "r.yaml > .*r.yaml"),
            (["r.yaml": "compose: [nowhere]"], "r.yaml: compose: expected .*, found 'nowhere'"),
            (["r.yaml": "compose: [systems/graf]"], "built-in parts \\(systems/graft, .*, found 'systems/graf'"),
            (["r.yaml": "compose: a"], "r.yaml: compose: expected a list of strings, found \"a\""),
            (["r.yaml": "compose: [a]", "a.yaml": "[1, 2]"], "a.yaml: expected an object, found \\[1,2\\]"),
            (["r.yaml": "compose: [a]", "a.yaml": "x: [}"], "a.yaml: not YAML"),
            (
                ["r.yaml": "compose: [a]", "a.yaml": "set: {l.3.x: 1}\nl: [1]"],
                "a.yaml: l.3.x: expected an index below 1"
            ),
            (["r.yaml": "variants: [1]"], "r.yaml: variants: expected an object"),
        ])
    func errors(files: [String: String], message: String) throws {
        let pattern = try Regex(message)
        #expect {
            _ = try composed(files)
        } throws: { "\($0)".contains(pattern) }
    }

    @Test("a value that is refused is told with the part that says it")
    func located() throws {
        let files = [
            "r.yaml": "compose: [graft-demo, bad]\nema: 0.5", "bad.yaml": "batch: {sightings: 1}",
            "s.yaml": "compose: [graft-demo, typo]", "typo.yaml": "model: {backbone: {hedas: 3}}",
            "own.yaml": "compose: [graft-demo]\nema: 2",
        ]
        try folder(files) { folder in
            for (name, message) in [
                ("r", "bad.yaml: batch.sightings: expected a whole number from 2"),
                ("s", "typo.yaml: unknown field model.backbone.hedas, expected one of heads"),
            ] {
                #expect {
                    _ = try Recipe(path: folder.appendingPathComponent(name + ".yaml").path)
                } throws: { "\($0)".contains(message) && $0 is RecipeError }
            }
            #expect {
                _ = try Recipe(path: folder.appendingPathComponent("own.yaml").path)
            } throws: { $0 is DocumentError }
        }
    }

    @Test("files beside the recipe come before what is built in, and settings after all")
    func precedence() throws {
        let files = [
            "mine.yaml": "compose: [graft-demo, datasets/synthetic]\nema: 0.5",
            "datasets/synthetic.yaml": "model: {input: {width: 64}}",
        ]
        try folder(files) { folder in
            let recipe = try Recipe(
                config: folder.appendingPathComponent("mine.yaml").path, settings: ["ema=0.25", "stages.0.steps=7"])
            #expect(recipe.model.input.width == 64 && recipe.averaging == 0.25)
            // What a run keeps stands alone, and says where its values come from.
            #expect(try Recipe(yaml: recipe.yaml).stages == recipe.stages)
            #expect(recipe.yaml.contains(/steps: 7 +# --set/) && !recipe.yaml.contains("compose"))
        }
    }

    @Test("a recipe is a file or a name")
    func names() throws {
        #expect(try Recipe(config: "graft-rgbnt100:table8-ddd").card.variant == "table8-ddd")
        #expect(throws: RecipeError.unknownName("graft-rgbnt10", known: [])) {
            do {
                _ = try Recipe(config: "graft-rgbnt10")
            } catch RecipeError.unknownName(let name, let known) {
                #expect(known.first == "graft-rgbnt100")
                throw RecipeError.unknownName(name, known: [])
            }
        }
        #expect {
            _ = try Recipe(config: "nowhere/graft-rgbnt100.yaml")
        } throws: {
            if case RecipeError.unreadable = $0 { true } else { false }
        }
    }
}

@Suite("Built-in recipes")
struct RecipeLibraryTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../deploy/recipes").standardized

    @Test("what is built in is what deploy/recipes holds")
    func complete() throws {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".yaml") }
        #expect(RecipeLibrary.parts == paths.map { String($0.dropLast(5)) }.sorted())
        for path in paths {
            let text = try String(contentsOf: Self.folder.appendingPathComponent(path), encoding: .utf8)
            #expect(RecipeLibrary.text(String(path.dropLast(5))) == text)
        }
    }

    @Test(
        "each recipe and each of its variants composes, says what it is, and is a recipe",
        arguments: RecipeLibrary.names)
    func valid(name: String) throws {
        let description = try RecipeDescription(config: name)
        let about = try #require(description.card.about)
        if let dataset = description.card.dataset { #expect(DatasetLayouts.names.contains(dataset)) }
        for variant in description.variants {
            let recipe = try Recipe(config: "\(name):\(variant.name)", settings: ["stages.0.learning_rate=1e-7"])
            #expect(variant.card.about != about)
            #expect(try Recipe(yaml: recipe.yaml).model == recipe.model)
        }
        #expect(try Recipe(path: Self.folder.appendingPathComponent("\(name).yaml").path).yaml == description.yaml)
    }

    @Test("each value of a paper's recipe has its source beside it, and each such recipe has a small sibling")
    func sources() throws {
        let card: Set = ["about", "dataset", "pretrained", "evaluate", "reported", "variant"]
        for name in RecipeLibrary.names where !name.contains("demo") {
            let (source, _) = try RecipeSource.given(name)
            let composition = try RecipeComposition(source)
            #expect(composition.variants.contains("small"), "\(name)")
            for variant in composition.variants {
                let unexplained = try RecipeComposition(source, variants: [variant]).unexplained.filter { path in
                    !card.contains(String(path.prefix { $0 != "." })) && !path.hasSuffix(".name")
                }
                #expect(unexplained == [], "\(name):\(variant)")
            }
        }
    }
}
