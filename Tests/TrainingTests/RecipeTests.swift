import Foundation
import Testing
import Training

@Suite("Recipes")
struct RecipeTests {
    private func text() throws -> String { try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8) }

    @Test("a recipe is read, with settings by path")
    func reading() throws {
        let recipe = try Recipe(
            yaml: text(), settings: ["stages.1.steps=3", "augment={flip: 0.25}", "stages.0.loss.combination=DDF"])
        #expect(recipe.stages.map(\.name) == ["frozen", "unfrozen"])
        #expect(recipe.stages[1].length == .steps(3))
        #expect(recipe.stages[0].frozen == ["backbone."])
        guard case .graft(let first) = recipe.stages[0].objective,
            case .graft(let second) = recipe.stages[1].objective
        else {
            Issue.record("expected GraFT's objective")
            return
        }
        #expect(first.combination == .ddf)
        #expect(second.center == 0.01)
        #expect(recipe.augmentation == Augmentation(flip: 0.25, erase: 0.5))
    }

    @Test(
        "what is wrong is named",
        arguments: [
            ("stages.0.learning_rte=1", "unknown field stages.0.learning_rte, expected one of learning_rate"),
            ("stages.0.learning_rate=fast", "stages.0.learning_rate: expected a number"),
            ("stages.5.steps=1", "expected an index below 2"),
            ("batch.identities=1", "batch.identities: expected a whole number from 2 to 4096, found 1"),
            ("stages.0.loss.combination=XYZ", "expected one of FFD"),
            ("model.backbone.heads=5", "backbone.heads: expected a divisor"),
            ("model.backbone.mlp_ration=4", "unknown field model.backbone.mlp_ration, expected one of mlp_ratio"),
            (
                "stages.0.epochs=2",
                "stages.0.epochs: expected none beside steps: take these away with steps=null, found 8"
            ),
            ("stages.0.schedule.warmup=5 weeks", "schedule.warmup: expected a whole number of steps, or of epochs"),
            ("stages.0.schedule.decay=step", "schedule.milestones: expected a list of numbers of steps"),
            ("stages.0.schedule.power=2", "unknown field stages.0.schedule.power"),
            ("model.colour=blue", "unknown field model.colour"),
            ("nonsense", "expected key.path=value"),
            ("stages=[]", "expected at least one stage"),
        ])
    func errors(setting: String, message: String) throws {
        #expect {
            try Recipe(yaml: text(), settings: [setting])
        } throws: { "\($0)".contains(message) }
    }

    @Test("the shipped recipes are valid, and those with settings are read again from what a run keeps of them")
    func shipped() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../deploy/recipes").standardized
        let recipes = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(recipes.count >= 7)
        for path in recipes.map(\.path) {
            let recipe = try Recipe(path: path, settings: ["stages.0.learning_rate=1e-7"])
            #expect(!recipe.stages.isEmpty)
            let kept = try Recipe(yaml: recipe.yaml)
            #expect(kept.stages == recipe.stages && kept.model == recipe.model)
        }
    }
}
