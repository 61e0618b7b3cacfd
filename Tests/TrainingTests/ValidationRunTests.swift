import Documents
import Foundation
import Inference
import Testing
import Training

/// How runs end other than by their last step, and what they are validated on.
@Suite("Validation, and how runs end early")
struct ValidationRunTests {
    private func recipe(_ settings: [String]) throws -> Recipe {
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        return try Recipe(yaml: text, settings: ["batch.identities=3"] + settings)
    }

    private func dataset() throws -> TriplesDataset { try TriplesDataset(root: Fixture.url("replay/data")) }

    private func within(_ body: (URL) throws -> Void) throws {
        let folder = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try body(folder)
    }

    private func validations(_ run: URL) throws -> [Trainer.Validation] {
        try String(contentsOf: run.appendingPathComponent("metrics.jsonl"), encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(Trainer.Validation.self, from: Data($0.utf8)) }
    }

    @Test("a stage ends when none of as many validations in a row is the best; the next one still comes")
    func patience() throws {
        try within { folder in
            // Nothing is learned, so the first validation stays the best.
            let settings = [
                "validation={identities: 0.4, every: 2, patience: 2}", "stages.0.learning_rate=0", "stages.0.steps=30",
                "stages.1.learning_rate=0", "stages.1.steps=3",
            ]
            let run = folder.appendingPathComponent("run")
            var (steps, stops): ([StepRecord], [[Int]]) = ([], [])
            var killed: [URL] = []
            try Trainer(recipe: recipe(settings), dataset: dataset(), output: run, seed: 5, saving: .steps(1)).run {
                switch $0 {
                case .stepped(let record, _, _):
                    steps.append(record)
                    guard [3, 5, 6, 7].contains(record.step + 1) else { return }
                    let copy = folder.appendingPathComponent("killed-\(record.step + 1)")
                    try? FileManager.default.copyItem(at: run, to: copy)
                    killed.append(copy)
                case .stoppedEarly(_, let step, let best): stops.append([step, best])
                default: break
                }
            }
            #expect(stops == [[6, 2]])
            #expect(steps.map(\.stage) == Array(repeating: "frozen", count: 6) + Array(repeating: "unfrozen", count: 3))
            let found = try validations(run)
            #expect(
                found.map(\.step) == [2, 4, 6, 8, 9] && found.allSatisfy { $0.identities == 2 && $0.sightings == 8 })
            // Killed before, at and after the end of the stage, it ends at the same step with the same bytes.
            for copy in killed {
                try Trainer(resuming: copy).run { _ in }
                for name in ["model.safetensors", "steps.jsonl", "metrics.jsonl"] {
                    let files = try [run, copy].map { try Data(contentsOf: $0.appendingPathComponent(name)) }
                    #expect(files[0] == files[1], "\(name) of \(copy.lastPathComponent)")
                }
            }
            #expect(killed.count == 4)
        }
    }

    @Test("a data set's own validation split is ranked, and nothing is learned of its identities")
    func listed() throws {
        try within { folder in
            let data = folder.appendingPathComponent("data")
            try FileManager.default.copyItem(at: Fixture.url("replay/data"), to: data)
            let files = FileManager.default
            for modality in ["rgb", "nir", "tir"] {
                let (train, val) = (
                    data.appendingPathComponent("train/\(modality)"), data.appendingPathComponent("val/\(modality)")
                )
                try files.createDirectory(at: val, withIntermediateDirectories: true)
                for name in try files.contentsOfDirectory(atPath: train.path)
                where name.hasPrefix("0001") || name.hasPrefix("0003") {
                    try files.moveItem(at: train.appendingPathComponent(name), to: val.appendingPathComponent(name))
                }
            }
            let dataset = try TriplesDataset(root: data)
            let settings = ["validation={split: val, every: 2}", "stages.0.steps=2", "stages.1.steps=2"]
            let run = folder.appendingPathComponent("run")
            var steps: [StepRecord] = []
            let path = try Trainer(recipe: recipe(settings), dataset: dataset, output: run, seed: 5).run {
                if case .stepped(let record, _, _) = $0 { steps.append(record) }
            }.path
            #expect(steps.flatMap(\.files).allSatisfy { !$0.hasPrefix("0001") && !$0.hasPrefix("0003") })
            #expect(
                try validations(run).allSatisfy { $0.identities == 2 && $0.sightings == 8 && $0.metrics.queries == 8 })
            #expect(try Checkpoint.load(path: path).configuration.identities == 3)
            let manifest = try String(contentsOf: run.appendingPathComponent("data.txt"), encoding: .utf8)
            #expect(manifest.contains("val/nir/0001_c1_000.png"))
        }
        #expect {
            try within { folder in
                let run = folder.appendingPathComponent("run")
                try Trainer(recipe: recipe(["validation={split: val}"]), dataset: dataset(), output: run, seed: 1)
                    .run { _ in }
            }
        } throws: { "\($0)".contains("expected images of the validation split") }
    }

    @Test("numbers that are none end the run with what they are of, and where the last state is")
    func divergence() throws {
        try within { folder in
            let run = folder.appendingPathComponent("run")
            let settings = [
                "stages.0.learning_rate=10", "stages.0.freeze=[]", "stages.0.weight_decay=1", "stages.0.schedule=null",
                "stages.0.optimizer=sgd", "stages.0.momentum=1",
            ]
            #expect {
                try Trainer(recipe: recipe(settings), dataset: dataset(), output: run, seed: 5).run { _ in }
            } throws: { error in
                guard case TrainingError.diverged(let step, let what, let state)? = error as? TrainingError else {
                    return false
                }
                return step > 0 && (what.contains("term") || what.contains("gradient") || what.contains("weight"))
                    && state?.contains("state-0.safetensors, after 0 steps") == true
                    && "\(error)".contains("try a lower learning rate")
            }
            // What was there before is as it was.
            #expect(
                FileManager.default.fileExists(
                    atPath: run.appendingPathComponent("checkpoints/initial.safetensors").path))
        }
    }

    @Test("a run goes on in its own layout, and with as many threads as it began with")
    func origin() throws {
        try within { folder in
            let run = folder.appendingPathComponent("run")
            var copy: URL?
            try Trainer(
                recipe: recipe([]), dataset: TriplesDataset(root: Fixture.url("replay/data"), layout: "triples"),
                output: run,
                seed: 5, saving: .steps(1)
            ).run { event in
                guard case .stepped(let record, _, _) = event, record.step == 3 else { return }
                let to = folder.appendingPathComponent("killed")
                try? FileManager.default.copyItem(at: run, to: to)
                copy = to
            }
            let killed = try #require(copy)
            for name in ["state-0", "state-1"] {
                let file = killed.appendingPathComponent("checkpoints/\(name).safetensors")
                var bytes = try Data(contentsOf: file)
                #expect(bytes.range(of: Data("layout\\\":\\\"triples".utf8)) != nil)
                let threads = try #require(bytes.range(of: Data("\\\"threads\\\":".utf8)))
                // As many digits: the header's length stays.
                bytes[threads.upperBound] = UInt8(ascii: "9")
                try bytes.write(to: file)
            }
            #expect { try Trainer(resuming: killed) } throws: { "\($0)".contains("threads: expected 9") }
        }
    }
}
