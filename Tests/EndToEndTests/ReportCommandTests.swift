import Foundation
import Testing

@Suite("Commands for runs")
struct ReportCommandTests {
    @Test("train leaves a report; report makes it again, compare and watch-run read the run")
    func report() async throws {
        let world = try await World()
        let (run, page) = (world.folder.path("run"), world.folder.path("run/report.html"))
        #expect(FileManager.default.fileExists(atPath: page))
        try FileManager.default.removeItem(atPath: page)
        #expect(try await world.triptych.succeed("report", run).hasSuffix("run/report.html\n"))
        #expect(try String(contentsOfFile: page, encoding: .utf8).contains("Ranked lists"))
        try await world.train(seed: 2, into: "other")
        let compared = try await world.triptych.succeed("compare", run, world.folder.path("other"))
        #expect(compared.contains("1 2") && compared.contains("±"))
        let watched = try await world.triptych.run("watch-run", run)
        #expect(watched.status == 0 && watched.error.contains("finished after 2 steps"))
        let moved = world.folder.path("moved")
        try FileManager.default.moveItem(atPath: world.data, toPath: moved)
        try await world.triptych.succeed("report", run)
        #expect(try String(contentsOfFile: page, encoding: .utf8).contains("--data says where it is"))
        try await world.triptych.succeed("report", run, "--data", moved, "--split", "query")
        #expect(try String(contentsOfFile: page, encoding: .utf8).contains("query to gallery"))
    }

    @Test("a sweep that is asked to stop ends with status 75 and goes on; bad uses are refused")
    func sweep() async throws {
        let world = try await World()
        let (file, output) = (world.folder.path("sweep.yaml"), world.folder.path("sweep"))
        try Data("parameters: {stages.0.learning_rate: [0.001, 0.002]}\n".utf8).write(to: URL(fileURLWithPath: file))
        let recipe = world.folder.path("recipe.yaml")
        let process = try world.triptych.start([
            "sweep", "--config", recipe, "--sweep", file, "--data", world.data, "--output", output, "--set",
            "stages.0.steps=100000",
        ])
        let log = URL(fileURLWithPath: "\(output)/trials/00-seed1/steps.jsonl")
        while process.isRunning, (try? Data(contentsOf: log))?.isEmpty ?? true {
            try await Task.sleep(for: .milliseconds(5))
        }
        process.send(SIGTERM)
        let stopped = try await process.result()
        #expect(stopped.status == 75 && stopped.error.contains("triptych sweep --resume \(output)"))
        let watched = try await world.triptych.run("watch-run", "\(output)/trials/00-seed1")
        #expect(watched.error.contains("interrupted after step"))
        let again = try await world.triptych.run("sweep", "--resume", output, "--config", recipe)
        #expect(again.status != 0 && again.error.contains("expected no --config beside --resume"))
        let taken = try await world.triptych.run(
            "sweep", "--config", recipe, "--sweep", file, "--data", world.data, "--output", output)
        #expect(taken.status != 0 && taken.error.contains("expected a new or empty folder"))
    }
}
