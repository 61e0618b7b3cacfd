import Documents
import Foundation
import Reports
import Testing
import Training

@Suite("Sweeps")
struct SweepTests {
    @Test("a grid is every combination with every seed, the last setting changing fastest")
    func grid() throws {
        let sweep = try SweepSpecification(
            yaml: """
                seeds: [3, 5]
                parameters:
                  a.b: [1, two]
                  c: {from: 0.0001, to: 0.01, scale: log, points: 3}
                """)
        #expect(sweep.trials.count == 12)
        #expect(sweep.trials.map(\.name).prefix(3) == ["00-seed3", "00-seed5", "01-seed3"])
        let settings = stride(from: 0, to: 12, by: 2).map { sweep.trials[$0].settings }
        #expect(settings[0] == ["a.b=1", "c=0.0001"] && settings[1] == ["a.b=1", "c=0.001"])
        #expect(settings[5] == ["a.b=\"two\"", "c=0.01"])
    }

    @Test("a random search draws within its ranges, the same each time, and each trial whatever their number")
    func random() throws {
        let yaml = { (trials: Int) in
            """
            search: random
            trials: \(trials)
            seed: 4
            parameters:
              rate: {from: 1.0e-6, to: 1.0e-2, scale: log}
              width: {from: 8, to: 11, whole: true}
              kind: [x, y]
            """
        }
        let (few, many) = (try SweepSpecification(yaml: yaml(3)), try SweepSpecification(yaml: yaml(200)))
        #expect(few.trials.map(\.settings) == many.trials.prefix(3).map(\.settings))
        let values = try many.trials.map { trial in
            try Dictionary(
                uniqueKeysWithValues: trial.settings.map { text in
                    let setting = try #require(try DocumentSetting(text))
                    return (setting.path[0], setting.value)
                })
        }
        let rates = values.compactMap { $0["rate"]?.number }
        // On a scale of log half lie below the geometric mean.
        #expect(rates.count == 200 && rates.allSatisfy { (1e-6...1e-2).contains($0) })
        #expect((70...130).contains(rates.count { $0 < 1e-4 }))
        #expect(Set(values.compactMap { $0["width"]?.integer }) == [8, 9, 10, 11])
        #expect(Set(values.compactMap { $0["kind"]?.string }) == ["x", "y"])
    }

    @Test(
        "what a sweep cannot mean is refused, with its place",
        arguments: [
            ("parameters: {}", "parameters"), ("parameters: {a: 3}", "parameters.a"),
            ("parameters: {a: []}", "parameters.a"),
            ("parameters: {a: {from: 2, to: 1, points: 2}}", "parameters.a.to"),
            ("parameters: {a: {from: 0, to: 1, scale: log, points: 2}}", "parameters.a.from"),
            ("parameters: {a: {from: 0, to: 1}}", "parameters.a.points"),
            ("{search: random, parameters: {a: [1]}}", "trials"),
            ("{search: random, trials: 2, parameters: {a: {from: 0, to: 1, points: 2}}}", "parameters.a.points"),
            ("{seeds: [1, 1], parameters: {a: [1]}}", "seeds"), ("{trials: 2, parameters: {a: [1]}}", "trials"),
            ("parameters: {a: {from: 0.5, to: 3, whole: true, points: 2}}", "parameters.a.whole"),
        ])
    func refused(yaml: String, field: String) {
        let error = #expect(throws: DocumentError.self) { try SweepSpecification(yaml: yaml) }
        #expect("\(error as Any)".contains(field), "\(error as Any)")
    }

    private static let settings = ["stages.0.steps=2", "stages.1.steps=2", "validation={identities: 0.3, every: 2}"]
    private static let sweep = """
        parameters:
          batch.identities: [2, 3000]
          stages.1.learning_rate: [0.001, 20]
        """

    @Test("trials that fail are noted and end nothing; a sweep that was stopped goes on, and does nothing twice")
    func failures() throws {
        let scratch = ScratchRuns()
        defer { scratch.remove() }
        let recipe = try Recipe(yaml: ScratchRuns.recipe, settings: Self.settings + ["batch.identities=2"])
        var steps = 0
        let sweep = try Sweep(
            recipe: recipe, specification: Self.sweep, dataset: ScratchRuns.dataset, output: scratch.path)
        let count = { (event: Sweep.Event) in if case .training(.stepped) = event { steps += 1 } }
        // Within the first trial.
        #expect(try !sweep.run(isCancelled: { steps >= 3 }, report: count))
        #expect(steps == 3 && sweep.results.map(\.status) == [.begun, .waiting, .waiting, .waiting])
        let again = try Sweep(resuming: scratch.path)
        #expect(try again.run(report: count))
        #expect(steps == 4)
        let results = again.results
        #expect(results.map(\.status) == [.finished, .failed, .failed, .failed])
        // A rate above 10 is refused by the recipe; 3000 identities are more than there are.
        #expect(results[1].reason?.contains("learning_rate") == true)
        #expect(results[2].reason?.contains("3000") == true)
        #expect(try again.run(report: count) && steps == 4)
        for file in [Sweep.page, Sweep.data] {
            #expect(FileManager.default.fileExists(atPath: scratch.path.appendingPathComponent(file).path))
        }
        #expect(try RunComparison.runs(at: [scratch.path]).map(\.name) == ["00-seed1"])
    }

    @Test("a folder with anything in it is refused, and one that is no sweep's is not gone on with")
    func folders() throws {
        let scratch = ScratchRuns()
        defer { scratch.remove() }
        let run = try scratch.write("a", recipe: "a: 1\n", seed: 1, mAP: 0.1)
        let recipe = try Recipe(yaml: ScratchRuns.recipe)
        #expect(throws: TrainingError.outputExists(run.path)) {
            try Sweep(recipe: recipe, specification: Self.sweep, dataset: ScratchRuns.dataset, output: run)
        }
        #expect(throws: ReportError.self) { try Sweep(resuming: run) }
    }
}
