import Charts
import Foundation
import Inference
import Reports
import Testing
import Training

@Suite("Reports of runs")
struct ReportTests {
    private func train(_ settings: [String], into folder: URL) throws {
        let recipe = try Recipe(
            yaml: ScratchRuns.recipe,
            settings: ["stages.0.steps=2", "stages.1.steps=3", "batch={identities: 2, sightings: 2}", "positives=1"]
                + settings)
        _ = try Trainer(recipe: recipe, dataset: ScratchRuns.dataset, output: folder, seed: 5).run { _ in }
    }

    private struct Document: Decodable {
        struct Retrieval: Decodable {
            struct Query: Decodable {
                let average_precision: Double
                let matches: [Match]
            }
            struct Match: Decodable {
                let distance: Double
            }
            struct Distances: Decodable {
                let same: [Int], different: [Int]
            }

            let metrics: RetrievalMetrics
            let cmc: [Double]
            let distances: Distances
            let best: [Query], worst: [Query]
        }
        struct Validation: Decodable {
            let step: Int
            let metrics: RetrievalMetrics
        }

        let status: String
        let validations: [Validation]
        let retrieval: Retrieval?
    }

    private func document(_ folder: URL) throws -> Document {
        try JSONDecoder().decode(
            Document.self, from: Data(contentsOf: folder.appendingPathComponent(RunReport.data)))
    }

    @Test("a report ranks the identities that the run held out, to the figures of its validation")
    func heldOut() throws {
        let scratch = ScratchRuns()
        defer { scratch.remove() }
        try train(["validation={identities: 0.4, every: 0}"], into: scratch.path)
        try RunReport(scratch.path, dataset: ScratchRuns.dataset).write()
        let document = try document(scratch.path)
        let retrieval = try #require(document.retrieval)
        #expect(document.status == "finished")
        let best = try #require(document.validations.max { $0.metrics.mAP < $1.metrics.mAP })
        #expect(
            abs(retrieval.metrics.mAP - best.metrics.mAP) < 1e-12 && retrieval.metrics.queries == best.metrics.queries)
        #expect(retrieval.cmc[0] == retrieval.metrics.rank1 && retrieval.cmc[4] == retrieval.metrics.rank5)
        #expect(retrieval.cmc == retrieval.cmc.sorted())
        // Eight sightings of two identities, each against all that its camera did not see of it.
        #expect(retrieval.distances.different.reduce(0, +) == 8 * 4)
        #expect(retrieval.best[0].average_precision >= retrieval.worst[0].average_precision)
        let query = retrieval.worst[0]
        #expect(query.matches.map(\.distance) == query.matches.map(\.distance).sorted())
    }

    @Test("a page is whole in itself: pictures within it, nothing from elsewhere, no script")
    func page() throws {
        let scratch = ScratchRuns()
        defer { scratch.remove() }
        try train(["validation={identities: 0.4, every: 0}"], into: scratch.path)
        let page = try RunReport(scratch.path, dataset: ScratchRuns.dataset).write()
        let html = try String(contentsOf: page, encoding: .utf8)
        for id in ["training", "retrieval", "ranked", "map", "attention", "provenance", "recipe"] {
            #expect(html.contains("<section id=\"\(id)\">"), "\(id)")
        }
        #expect(html.contains("src=\"data:image/jpeg;base64,"))
        #expect(!html.contains("http:") && !html.contains("https:") && !html.contains("<script"))
        #expect(html.matches(of: /<img [^>]*>/).allSatisfy { $0.output.contains("alt=\"") })
        let run = try RunDescription(run: scratch.path)
        #expect(run.steps == 5 && run.seed == 5 && run.heldOutIdentities == 2 && run.dataFingerprint.count == 64)
        #expect(run.trial == nil && run.threads ?? 0 > 0)
    }

    @Test("without its data, or without identities held out, a run has a report that says so")
    func missing() throws {
        let scratch = ScratchRuns()
        defer { scratch.remove() }
        try train([], into: scratch.path)
        for (dataset, text) in [(nil, "Where is it?"), (try ScratchRuns.dataset, "holds no identities out")] {
            let page = try RunReport(scratch.path, dataset: dataset, reason: "Where is it?").write()
            #expect(try String(contentsOf: page, encoding: .utf8).contains(text))
            #expect(try document(scratch.path).retrieval == nil)
        }
    }

    @Test("another data set than the run's is refused")
    func otherData() throws {
        let scratch = ScratchRuns()
        defer { scratch.remove() }
        let (run, data) = (scratch.path.appendingPathComponent("run"), scratch.path.appendingPathComponent("data"))
        try FileManager.default.createDirectory(at: scratch.path, withIntermediateDirectories: true)
        try train(["validation={identities: 0.4, every: 0}"], into: run)
        try FileManager.default.copyItem(at: ScratchRuns.dataset.root, to: data)
        let images = data.appendingPathComponent("train/rgb")
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: images.path).sorted().first)
        for modality in ["rgb", "nir", "tir"] {
            try FileManager.default.removeItem(at: data.appendingPathComponent("train/\(modality)/\(name)"))
        }
        #expect(throws: TrainingError.self) { try RunReport(run, dataset: TriplesDataset(root: data)) }
    }

    @Test("thousands of steps are shown by some hundred means, whose sum is theirs")
    func curves() throws {
        let scratch = ScratchRuns()
        defer { scratch.remove() }
        let folder = try scratch.write("long", recipe: "a: 1\n", seed: 1, mAP: 0.1)
        let lines = (0..<5000).map { step in
            "{\"step\":\(step),\"stage\":\"\(step < 100 ? "first" : "second")\",\"terms\":{\"x\":\(step),\"y\":1},"
                + "\"loss\":\(2 * step),\"learning_rate\":0.5}\n"
        }
        // The last line is being written.
        let text = lines.joined() + "{\"step\":5000,\"sta"
        try Data(text.utf8).write(to: folder.appendingPathComponent("steps.jsonl"))
        let curves = try TrainingCurves(run: folder)
        #expect(curves.steps == 5000)
        #expect(curves.stages == [.init(name: "first", start: 0), .init(name: "second", start: 100)])
        #expect(curves.losses.map(\.name) == ["loss", "x", "y"])
        #expect((200...400).contains(curves.losses[0].points.count))
        for point in curves.losses[0].points { #expect(abs(point.y - 2 * (point.x - 1)) < 1e-6) }
        #expect(curves.rate.points.allSatisfy { $0.y == 0.5 })
    }

    @Test("a log that is cut back is followed from there")
    func follower() throws {
        let scratch = ScratchRuns()
        defer { scratch.remove() }
        let file = try scratch.write("run", recipe: "a: 1\n", seed: 1, mAP: 0.1).appendingPathComponent("steps.jsonl")
        let texts = { (lines: [Data]) in lines.map { String(decoding: $0, as: UTF8.self) } }
        var log = LogFollower(file)
        #expect(try log.next().isEmpty)
        try Data("1\n2\n3".utf8).write(to: file)
        #expect(try texts(log.next()) == ["1", "2"])
        try Data("1\n2\n34\n".utf8).write(to: file)
        #expect(try texts(log.next()) == ["34"])
        try Data("1\n".utf8).write(to: file)
        #expect(try log.next().isEmpty)
        try Data("1\n5\n".utf8).write(to: file)
        #expect(try texts(log.next()) == ["5"])
    }
}
