import Foundation
import Testing

@Suite("End to end: the commands that speak with a server")
struct ClientPageTests {
    @Test("the commands of docs/client.md succeed in its order")
    func page() async throws {
        let world = try await World()
        try await world.train(seed: 2, into: "other")
        let files = FileManager.default
        for (modality, path) in try world.triple() {
            try files.copyItem(atPath: path, toPath: world.folder.path("\(modality).jpg"))
        }
        try files.copyItem(
            atPath: world.folder.path("other/model.safetensors"), toPath: world.folder.path("model.safetensors"))
        let (server, port) = try await world.serve()
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/client.md"), encoding: .utf8)
        let blocks = page.matches(of: /(?ms)^```sh\n(.*?)^```$/).map { String($0.output.1) }
        #expect(blocks.count == 3)
        let text = "set -e\ncd '\(world.folder.url.path)'\n" + blocks.joined(separator: "\n")
        let run = try await world.shell(text.replacing("http://127.0.0.1:8080", with: "http://127.0.0.1:\(port)"))
        #expect(run.status == 0, "\(run.output)\(run.error)")
        #expect(run.output.contains("\nvan-17, ") && run.output.contains("(nothing enrolled)"))
        #expect(run.output.contains(#""kind":"matched""#) && run.output.contains("0 are wrong\nerased copy"))
        #expect(run.output.contains(/activation [0-9a-f-]{36}: succeeded/))
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
    }

    @Test("refusals are told in the server's words with their request, and bad arguments are something else")
    func failures() async throws {
        let world = try await World()
        let (server, port) = try await world.serve()
        let address = "http://127.0.0.1:\(port)"
        let missing = try await world.triptych.run("gallery", "show", "nowhere", "--server", address)
        #expect(missing.status == 1 && missing.output.isEmpty)
        #expect(missing.error.contains("404 gallery-not-found: there is no gallery 'nowhere' (request "))
        let image = try #require(world.triple().first).path
        for arguments in [
            ["identify", "--gallery", "g"], ["identify", "--gallery", "g", "--rgb", image, "--box", "rgb=1,2"],
            ["identify", "--gallery", "g", "--rgb", image, image, "--tir", image], ["enroll", "--gallery", "g"],
            ["query", "--gallery", "g"], ["jobs", "list", "--server", "ftp://a"],
            ["identify", "--gallery", "g", "--rgb", "missing.jpg"], ["gallery", "import", "g", "sightings.zip"],
        ] {
            let wrong = try await world.triptych.start(arguments).result()
            #expect(wrong.status == 64, "\(arguments) \(wrong.error)")
        }
        try await world.triptych.succeed("gallery", "create", "g", "--server", address)
        let unasked = try await world.triptych.run("gallery", "erase", "g", "--server", address)
        #expect(unasked.status == 64 && unasked.error.contains("--yes"))
        let job = try await world.triptych.run(
            "gallery", "calibrate", "g", "--server", address, "--false-match-rate", "0.1")
        #expect(job.status == 1 && job.output.contains("failed"))
        let erased = try await world.triptych.succeed("gallery", "erase", "g", "--yes", "--json", "--server", address)
        #expect(erased.contains(#""erased" : "g""#))
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
        let gone = try await world.triptych.run("jobs", "list", "--server", address)
        #expect(gone.status == 1 && gone.error.contains("cannot reach \(address)"))
    }

    @Test("watch goes on over a restart of the server, and Control-C ends it as done")
    func watch() async throws {
        let world = try await World()
        let (first, port) = try await world.serve()
        let address = "http://127.0.0.1:\(port)"
        let image = try #require(world.triple().first).path
        let enrol = { (identity: String) in
            try await world.triptych.succeed(
                "enroll", "--server", address, "--gallery", "g", "--identity", identity, "--rgb", image)
        }
        _ = try await enrol("before")
        let watch = try world.triptych.start(
            ["watch", "--server", address, "--kind", "enrolled", "--after", "0", "--json"])
        while !watch.output.contains("before") { try await Task.sleep(for: .milliseconds(20)) }
        first.send(SIGTERM)
        #expect(try await first.result().status == 0)
        let (second, _) = try await world.triptych.serve(
            "--config", world.folder.path("triptych.yaml"), "--checkpoint", world.model, "--database", world.database,
            "--port", "\(port)")
        _ = try await enrol("after")
        while !watch.output.contains(#""after""#) { try await Task.sleep(for: .milliseconds(20)) }
        watch.send(SIGINT)
        let ended = try await watch.result()
        #expect(ended.status == 0 && ended.output.split(separator: "\n").count == 2, "\(ended.error)")
        second.send(SIGTERM)
        #expect(try await second.result().status == 0)
    }

    @Test("completions are made for each shell, and bash completes commands, values and what a server has")
    func completions() async throws {
        let world = try await World()
        for shell in ["zsh", "fish", "bash"] {
            let script = try await world.triptych.succeed("--generate-completion-script", shell)
            for name in ["identify", "watch", "models", "jobs", "gallery", "keys"] {
                #expect(script.contains(name), "\(shell): \(name)")
            }
            try Data(script.utf8).write(to: world.folder.file("completions.\(shell)"))
        }
        let (server, port) = try await world.serve()
        try await world.triptych.succeed("gallery", "create", "parking", "--server", "http://127.0.0.1:\(port)")
        // As bash calls it: with the command, the word at the cursor and the one before.
        let complete = { (words: String) in
            try await world.shell(
                """
                export TRIPTYCH_URL=http://127.0.0.1:\(port)
                source '\(world.folder.path("completions.bash"))'
                COMP_WORDS=(triptych \(words)) COMP_LINE="triptych \(words)"
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_POINT=${#COMP_LINE}
                _triptych triptych "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
                echo "${COMPREPLY[@]}"
                """
            ).output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        #expect(try await complete("watch-") == "watch-run")
        #expect(try await complete("watch --kind wa") == "watchlist")
        #expect(try await complete("gallery show par") == "parking")
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
    }
}

extension World {
    /// Runs a script of bash, for which `triptych` is the one that was built.
    fileprivate func shell(_ script: String) async throws -> Executable.Result {
        let path = "\(Bundle.main.bundleURL.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
        let environment = ProcessInfo.processInfo.environment.merging(["PATH": path]) { $1 }
        return try await RunningCommand(
            executable: URL(fileURLWithPath: "/bin/bash"), arguments: ["-c", script], environment: environment,
            output: folder.file("\(UUID().uuidString).out")
        ).result()
    }
}
