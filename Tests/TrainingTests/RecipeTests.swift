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
            ("model.input.heigth=3", "unknown field model.input.heigth, expected one of height"),
            ("model.head.fusion_token=1", "unknown field model.head.fusion_token, expected one of fusion_tokens"),
            ("positives=3", "positives: expected at most 2, batch.sightings less the anchor, found 3"),
            ("stages.1.loss.data_token=10", "data_token: expected a whole number from 0 to 9, found 10"),
            ("stages.0.nesterov=true", "unknown field stages.0.nesterov"),
            ("stages.0.groups=[{rate: 2}]", "stages.0.groups.0.match: expected a list of strings"),
            ("augment={erase: {probability: 1, area: [0.4, 0.2]}}", "augment.erase.area: expected two rising numbers"),
            ("augment={jitter: {hue: 0.1}}", "unknown field augment.jitter.hue"),
            ("modality_dropout=2", "modality_dropout: expected a number from 0.0 to 1.0"),
            ("drop_path=1", "drop_path: expected a number from 0.0 to 0.9"),
            ("classifier=xavier", "classifier: expected one of narrow, kaiming"),
            ("model.networks=2", "networks: expected 1 for system graft, found 2"),
            ("modality_dropout={share: 0.5, by: image}", "modality_dropout.by: expected one of batch, triple"),
            ("validation={identities: 0.2, split: val}", "validation.identities: expected none beside split"),
            (
                "validation={identities: 0.2, patience: 3}",
                "validation.patience: expected none without every, which is 0"
            ),
            ("validation={split: test}", "validation.split: expected one of val"),
            ("batch={triplets: 4, sightings: 2}", "unknown field batch.sightings"),
            ("augment={part: {area: [0.1, 1]}}", "augment.part.probability: expected a number"),
            ("model.colour=blue", "unknown field model.colour"),
            ("nonsense", "expected key.path=value"),
            ("stages=[]", "expected at least one stage"),
        ])
    func errors(setting: String, message: String) throws {
        #expect {
            try Recipe(yaml: text(), settings: [setting])
        } throws: { "\($0)".contains(message) }
    }

    @Test("drop path is for transformers of several blocks")
    func dropPath() throws {
        #expect(try Recipe(yaml: text(), settings: ["drop_path=0.1"]).dropPath == 0.1)
        for backbone in ["{kind: vit, width: 24, depth: 1, heads: 3, patch: 8}", "{kind: resnet, depth: 18}"] {
            let settings = [
                "drop_path=0.1", "model.system=unicat", "model.head=null", "positives=null", "dropout=null",
                "stages.0.loss=null", "stages.1.loss=null", "model.backbone=\(backbone)",
            ]
            #expect {
                try Recipe(yaml: text(), settings: settings)
            } throws: { "\($0)".contains("drop_path: expected 0 for a backbone that is no transformer of 2 blocks") }
        }
    }

    @Test("a setting that another key takes the place of is refused")
    func shadowed() throws {
        #expect {
            try Recipe(yaml: text(), settings: ["dropout=0.2", "model.head.dropout=0.1"])
        } throws: { "\($0)".contains("model.head.dropout: expected no dropout beside it") }
        #expect(try Recipe(yaml: text(), settings: ["model.head.dropout=0.1"]).dropout == 0.1)
    }
}
