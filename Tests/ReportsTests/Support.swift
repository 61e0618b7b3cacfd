import Foundation
import Inference
import Training

/// Folders of runs as tests need them.
struct ScratchRuns {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("triptych-\(UUID().uuidString)")

    /// A small data set of five identities, seen four times each (Tests/TrainingTests/Fixtures/replay).
    static var dataset: TriplesDataset {
        get throws { try TriplesDataset(root: replay.appendingPathComponent("data")) }
    }

    /// A recipe for it.
    static var recipe: String {
        get throws { try String(contentsOf: replay.appendingPathComponent("recipe.yaml"), encoding: .utf8) }
    }

    private static var replay: URL {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.appendingPathComponent("TrainingTests/Fixtures/replay")
    }

    /// Writes a run that never was: a recipe, one logged step, and a validation.
    func write(_ name: String, recipe: String, seed: Int, mAP: Double) throws -> URL {
        let folder = path.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let metrics = """
            {"step":2,"identities":1,"sightings":3,"metrics":{"mAP":\(mAP),"mINP":0.1,\
            "rank1":0.5,"rank5":0.6,"rank10":0.7,"queries":3,"skipped":0}}
            """
        let run = """
            {"kind":"training","version":"1","seed":\(seed),"data":"/data/a","layout":"triples","data_fingerprint":"ab","steps":2,
             "parameters":5,"identities":3,"sightings":9,"held_out_identities":1,"held_out_sightings":3}
            """
        for (file, text) in [
            ("recipe.yaml", recipe), ("steps.jsonl", ""), ("metrics.jsonl", metrics + "\n"), ("run.json", run),
        ] { try Data(text.utf8).write(to: folder.appendingPathComponent(file)) }
        return folder
    }

    func remove() { try? FileManager.default.removeItem(at: path) }
}
