import Foundation
import Inference
import Testing

@Suite("End to end: training that is killed")
struct ResumeTests {
    /// A world whose recipe takes long enough to be killed in the middle.
    private func world(system: String = "graft") async throws -> World {
        let world = try await World()
        var recipe = World.recipe.replacing("steps: 2, ", with: "steps: 150, ").replacing("every: 2", with: "every: 7")
        if system == "dmf" {
            recipe = recipe.replacing("system: graft", with: "system: dmf").replacing(", distilled: true", with: "")
                .replacing(/head: .*/, with: "head: {text: {width: 12, max_tokens: 6}}")
                .replacing("dropout: 0\n", with: "").replacing("triplet: 0.5, center: 0.0005, ", with: "")
                .replacing("learning_rate", with: "texts: 0.4, learning_rate")
        }
        try Data(recipe.utf8).write(to: world.folder.file("long.yaml"))
        return world
    }

    private func arguments(_ world: World, _ output: String) -> [String] {
        ["train", "--config", world.folder.path("long.yaml"), "--data", world.data, "--output", output]
    }

    /// Sends signals to a run once it has logged so many steps. On a thread of its own: other tests keep Swift's busy for longer than such
    /// a run takes.
    private func send(_ signals: [Int32], to process: RunningCommand, after steps: Int, in output: String) async {
        let log = URL(fileURLWithPath: "\(output)/steps.jsonl")
        await withCheckedContinuation { sent in
            Thread.detachNewThread {
                while process.isRunning {
                    let lines = (try? Data(contentsOf: log))?.count { $0 == UInt8(ascii: "\n") } ?? 0
                    if lines >= steps { break }
                    usleep(1000)
                }
                signals.forEach(process.send)
                sent.resume()
            }
        }
    }

    private func digest(_ output: String) throws -> String {
        try SafetensorsReader(path: "\(output)/model.safetensors").digest()
    }

    @Test(
        "SIGKILL at random steps, again and again: --resume ends with the model of a run that was left alone",
        arguments: ["graft", "dmf"])
    func killed(system: String) async throws {
        let world = try await world(system: system)
        let (whole, output) = (world.folder.path("whole"), world.folder.path("killed"))
        #expect(try await world.triptych.start(arguments(world, whole)).result().status == 0)
        var arguments = arguments(world, output) + ["--save-every", "4"]
        var at = 0
        for _ in 0..<3 {
            at += Int.random(in: 5...15)
            let process = try world.triptych.start(arguments)
            await send([SIGKILL], to: process, after: at, in: output)
            #expect(try await process.result().status == SIGKILL)
            arguments = ["train", "--resume", output, "--save-every", "4"]
        }
        let last = try await world.triptych.start(arguments).result()
        #expect(last.status == 0 && last.error.contains("going on after step"))
        #expect(try digest(output) == digest(whole))
        for log in ["steps.jsonl", "metrics.jsonl"] {
            let logs = try [output, whole].map { try Data(contentsOf: URL(fileURLWithPath: "\($0)/\(log)")) }
            #expect(logs[0] == logs[1], "\(log)")
        }
    }

    @Test("two SIGTERMs: the run saves, says how to go on, ends with status 75, and goes on to the same model")
    func terminated() async throws {
        let world = try await world()
        let (whole, output) = (world.folder.path("whole"), world.folder.path("stopped"))
        #expect(try await world.triptych.start(arguments(world, whole)).result().status == 0)
        let process = try world.triptych.start(arguments(world, output))
        await send([SIGTERM, SIGTERM], to: process, after: 9, in: output)
        let result = try await process.result()
        #expect(result.status == 75 && result.error.contains("triptych train --resume \(output)"))
        let model = try Checkpoint.configuration(path: "\(output)/model.safetensors")
        #expect(model.training?["interrupted"]?.bool == true)
        try await world.triptych.succeed("train", "--resume", output)
        #expect(try digest(output) == digest(whole))
    }

    @Test("a disk that is full ends the run, whose last state is left to go on from")
    func fullDisk() async throws {
        let world = try await world()
        let (whole, output) = (world.folder.path("whole"), world.folder.path("full"))
        #expect(try await world.triptych.start(arguments(world, whole)).result().status == 0)
        // Files may become larger than a checkpoint, but not as large as a state that holds the best weights too.
        let size = try Data(contentsOf: URL(fileURLWithPath: "\(whole)/checkpoints/last.safetensors")).count
        let executable = Bundle.main.bundleURL.appendingPathComponent("triptych").path
        let script = "trap '' XFSZ; ulimit -f \(size * 7 / 2 / 512) && exec \"$0\" \"$@\""
        let process = try RunningCommand(
            executable: URL(fileURLWithPath: "/bin/sh"),
            arguments: ["-c", script, executable] + arguments(world, output) + ["--save-every", "4"], environment: nil,
            output: world.folder.file("full.out"))
        let result = try await process.result()
        #expect(result.status == 1 && result.error.contains("cannot be written"), "\(result.error)")
        let steps = try String(contentsOfFile: "\(output)/steps.jsonl", encoding: .utf8)
        #expect((4...12).contains(steps.split(separator: "\n").count))
        try await world.triptych.succeed("train", "--resume", output)
        #expect(try digest(output) == digest(whole))
    }

    @Test("a folder without a run is refused, as is what a run cannot take")
    func refused() async throws {
        let world = try await World()
        let empty = try await world.triptych.run("train", "--resume", world.folder.path("nothing"))
        #expect(empty.status != 0 && empty.error.contains("cannot go on: expected a state"))
        let seed = try await world.triptych.run("train", "--resume", world.folder.path("run"), "--seed", "2")
        #expect(seed.status == 64 && seed.error.contains("a run keeps what it began with"))
        let none = try await world.triptych.run("train", "--data", world.data)
        #expect(none.status == 64 && none.error.contains("expected --config, or --resume"))
    }
}
