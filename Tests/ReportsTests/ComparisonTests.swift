import Foundation
import Reports
import Testing

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
