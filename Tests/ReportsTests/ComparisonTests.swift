import Foundation
import Inference
import Reports
import Testing
import Training

@Suite("Runs side by side")
struct ComparisonTests {
    @Test("runs of one recipe with other seeds are a group; what differs tells groups apart")
    func groups() throws {
        let runs = ScratchRuns()
        defer { runs.remove() }
        let recipe = { (rate: Double) in "stages: [{name: all, learning_rate: \(rate)}]\nbatch: {identities: 4}\n" }
        let folders = try [
            runs.write("a1", recipe: recipe(0.1), seed: 1, mAP: 0.40),
            runs.write("a2", recipe: recipe(0.1), seed: 2, mAP: 0.42),
            runs.write("b1", recipe: recipe(0.2), seed: 1, mAP: 0.60),
            // The same in other words.
            runs.write(
                "b2", recipe: "batch:\n  identities: 4\nstages:\n- {learning_rate: 0.2, name: all}\n", seed: 2,
                mAP: 0.62),
            runs.write("c", recipe: recipe(0.3), seed: 1, mAP: 0.99),
            runs.write("c again", recipe: recipe(0.3), seed: 1, mAP: 0.10),
        ]
        let comparison = RunComparison(try RunComparison.runs(at: folders))
        #expect(comparison.differing == ["stages.0.learning_rate"])
        #expect(comparison.groups.map { $0.members.map(\.run) } == [["a1", "a2"], ["b1", "b2"], ["c"]])
        #expect(comparison.groups.map(\.settings) == [["0.1"], ["0.2"], ["0.3"]])
        #expect(comparison.groups[0].difference == nil)
        #expect(comparison.groups[1].difference?.verdict == .beyondSpread)
        #expect(comparison.groups[2].difference?.verdict == .unknown)
        let rows = RunComparisonTable(comparison).rows
        #expect(rows[0] == ["", "learning_rate", "seeds", "mAP", "Rank-1", "mINP", "mAP beside A"])
        #expect(rows[1][3] == "41.0 ± 1.4" && rows[3][3] == "99.0")
        #expect(rows[3][6] == "+58.0: nothing can be said: one seed")
        #expect(RunComparisonTable(comparison).notes.contains { $0.contains("count once") })
        let best = RunComparison(try RunComparison.runs(at: folders), bestFirst: true)
        #expect(best.groups.map(\.settings) == [["0.3"], ["0.2"], ["0.1"]])
    }

    @Test("stages are those of the same name; what only some runs have is said, and not set against another")
    func stages() throws {
        let runs = ScratchRuns()
        defer { runs.remove() }
        let warm = "{name: warm, steps: 3, learning_rate: 0.5}"
        let all = { (steps: Int) in "{name: all, steps: \(steps), learning_rate: 0.1}" }
        let folders = try [
            runs.write("a", recipe: "stages: [\(warm), \(all(4))]\n", seed: 1, mAP: 0.4),
            runs.write("b", recipe: "stages: [\(all(4))]\n", seed: 1, mAP: 0.5),
            runs.write(
                "c", recipe: "stages: [\(warm), \(all(9)), {steps: 2, learning_rate: 0.1}]\n", seed: 1, mAP: 0.5),
        ]
        let comparison = RunComparison(try RunComparison.runs(at: folders))
        #expect(comparison.differing == ["stages", "stages.all.steps"])
        #expect(comparison.groups.map(\.settings) == [["warm, all", "4"], ["all", "4"], ["warm, all, 2", "9"]])
        #expect(comparison.notes.prefix(2) == ["Only A, C have the stage warm.", "Only C has the stage 2."])
        // The same stages in another order are another training.
        let turned = try runs.write("d", recipe: "stages: [\(all(4)), \(warm)]\n", seed: 1, mAP: 0.4)
        #expect(
            RunComparison(try RunComparison.runs(at: [folders[0], turned])).groups.map(\.settings) == [
                ["warm, all"], ["all, warm"],
            ])
    }

    @Test("a model's defaults are the same written and left out")
    func defaults() throws {
        let runs = ScratchRuns()
        defer { runs.remove() }
        let written = try Recipe(
            yaml: ScratchRuns.recipe,
            settings: ["model.neck_feature=before", "model.backbone.pre_norm=false", "dropout=0"])
        let folders = try [
            runs.write("left out", recipe: ScratchRuns.recipe, seed: 1, mAP: 0.4),
            runs.write("written", recipe: written.yaml, seed: 2, mAP: 0.4),
        ]
        #expect(RunComparison(try RunComparison.runs(at: folders)).differing == [])
    }

    @Test("pruning runs differ in what was taken away, and not in the model of the recipe, which is the checkpoint's")
    func pruned() throws {
        let runs = ScratchRuns()
        defer { runs.remove() }
        let recipe = { (changes: [String]) in
            try Recipe(
                yaml: ScratchRuns.recipe,
                settings: [
                    "stages.0.steps=1", "stages.1.steps=1", "batch={identities: 2, sightings: 2}", "positives=1",
                    "validation={identities: 0.4, every: 1}",
                ] + changes)
        }
        let parent = try Trainer(
            recipe: recipe([]), dataset: ScratchRuns.dataset, output: runs.path.appendingPathComponent("parent"),
            seed: 1
        ).run { _ in }.path
        let prune = { (name: String, targets: [Double], seed: UInt64, changes: [String]) in
            let output = runs.path.appendingPathComponent(name)
            try Pruner(
                plan: PruningPlan(targets: targets, steps: 2), parentPath: parent, recipe: recipe(changes),
                dataset: ScratchRuns.dataset, output: output, seed: seed, hasControl: true
            ).run { _ in }
            return output
        }
        let folders = try [
            prune("a", [0.2, 0.5], 1, []),
            prune("b", [0.2, 0.5], 2, ["model.input.height=32", "stages.0.learning_rate=0.5", "stages.1.steps=7"]),
            prune("c", [0.2, 0.7], 1, []),
        ]
        let records = try RunComparison.runs(at: folders)
        let comparison = RunComparison(records)
        #expect(comparison.differing == ["pruning.targets"])
        #expect(comparison.groups.map { $0.members.map(\.run) } == [["a", "b"], ["c"]])
        for record in records {
            // Two rounds of two steps, and as many of the control; what counts is what was published.
            #expect(record.validations.map(\.step) == [1, 2, 3, 4] && record.control.map(\.step) == [1, 2, 3, 4])
            let published = record.model?.pruning?["validation"]?["mAP"]?.number
            #expect(record.best?.metrics.mAP == published && record.best?.step ?? 0 > 2)
            let curves = try TrainingCurves(run: record.folder)
            #expect(curves.steps == 4 && curves.stages == [.init(name: "unfrozen", start: 0)])
        }
        let beside = RunComparison(
            try RunComparison.runs(at: [runs.path.appendingPathComponent("parent"), folders[0]]))
        // The training's last stage has one step, the pruning's two; and the one before is the training's alone.
        #expect(beside.differing.filter { $0.hasPrefix("stages") } == ["stages", "stages.unfrozen.steps"])
        #expect(beside.notes.first == "Only A has the stage frozen.")
        let report = try RunReport(folders[1], dataset: ScratchRuns.dataset).write()
        #expect(try String(contentsOf: report, encoding: .utf8).contains("mAP without pruning"))
    }

    @Test("a page shows what the table does, with its text escaped")
    func page() throws {
        let runs = ScratchRuns()
        defer { runs.remove() }
        let folders = try [
            runs.write("a", recipe: "name: '<b>'\n", seed: 1, mAP: 0.4),
            runs.write("b", recipe: "name: c\n", seed: 1, mAP: 0.5),
        ]
        let records = try RunComparison.runs(at: folders)
        let file = runs.path.appendingPathComponent("page.html")
        try RunComparisonTable(RunComparison(records)).write(records, title: "Comparison", to: file)
        let html = try String(contentsOf: file, encoding: .utf8)
        #expect(html.contains("&lt;b&gt;") && !html.contains("<b>"))
        #expect(html.hasPrefix("<!DOCTYPE html>") && !html.contains("http"))
    }

    @Test("a folder that is no run's is named")
    func noRun() throws {
        let folder = FileManager.default.temporaryDirectory
        #expect(throws: ReportError.notARun(folder.path, missing: "recipe.yaml")) {
            try RunComparison.runs(at: [folder])
        }
    }
}
