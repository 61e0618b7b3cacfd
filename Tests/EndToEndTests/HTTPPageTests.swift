import Foundation
import Testing

@Suite("End to end: docs/http.md")
struct HTTPPageTests {
    private struct Block {
        /// What it says that it is, after the opening fence; empty if nothing.
        let language: String
        let text: String
    }

    @Test("slow, end to end: the page's commands succeed in its order, and are answered by what it shows")
    func page() async throws {
        let world = try await World()
        try await world.train(seed: 2, into: "other")
        try await provide(world)
        let (server, port) = try await world.serve()
        let blocks = try Self.blocks()
        let commands = blocks.indices.filter { blocks[$0].language == "sh" }
        #expect(commands.count > 15)
        let script = world.folder.file("page.sh")
        try Data(Self.script(blocks, commands, world.folder, port).utf8).write(to: script)
        let run = try await RunningCommand(
            executable: URL(fileURLWithPath: "/bin/sh"), arguments: [script.path], environment: nil,
            output: world.folder.file("page.out")
        ).result()
        let last = (try? String(contentsOf: world.folder.file("at"), encoding: .utf8)).flatMap { Int($0.dropLast()) }
        try #require(run.status == 0, "\(last.map { blocks[$0].text } ?? "") \(run.error) \(output(last, world))")
        for index in commands where index + 1 < blocks.count && blocks[index + 1].language == "json" {
            let found = try Self.shape(Data((output(index, world).split(separator: "\n").last ?? "").utf8))
            #expect(try Self.shape(Data(blocks[index + 1].text.utf8)) == found, "\(blocks[index].text)")
        }
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
    }

    /// What the page asks its reader to have: three images and a model.
    private func provide(_ world: World) async throws {
        let pictures = world.folder.path("pictures")
        try await world.triptych.succeed(
            "synthesize", "--output", pictures, "--identities", "10", "--cameras", "2", "--sightings", "2", "--height",
            "64", "--width", "128", "--seed", "5")
        let files = FileManager.default
        for modality in ["rgb", "nir", "tir"] {
            let folder = "\(pictures)/train/\(modality)"
            let name = try #require(files.contentsOfDirectory(atPath: folder).sorted().first)
            try files.copyItem(atPath: "\(folder)/\(name)", toPath: world.folder.path("\(modality).jpg"))
        }
        try files.copyItem(
            atPath: world.folder.path("other/model.safetensors"), toPath: world.folder.path("model.safetensors"))
    }

    private static func blocks() throws -> [Block] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/http.md"), encoding: .utf8)
        return page.matches(of: /(?ms)^```(\w*)\n(.*?)^```$/).map {
            Block(language: String($0.output.1), text: String($0.output.2))
        }
    }

    /// All commands as one script, which keeps their variables; each block's output goes to a file, and `at` says how far it came.
    /// A block that a problem follows must fail.
    private static func script(_ blocks: [Block], _ commands: [Int], _ folder: ScratchFolder, _ port: Int) -> String {
        let begin = """
            set -e
            cd '\(folder.url.path)'
            curl() {
                command curl --fail-with-body "$@" || return
                echo
            }

            """
        return commands.reduce(into: begin) { script, index in
            let text = blocks[index].text.replacing("http://127.0.0.1:8080", with: "http://127.0.0.1:\(port)")
            let fails = index + 1 < blocks.count && blocks[index + 1].text.contains("urn:triptych:problem:")
            script += "echo \(index) >at\n\(fails ? "if " : ""){\n\(text)} >\(index).out"
            script += fails ? "; then echo 'expected a problem' >&2; exit 1; fi\n" : "\n"
        }
    }

    private func output(_ block: Int?, _ world: World) -> String {
        block.flatMap { try? String(contentsOf: world.folder.file("\($0).out"), encoding: .utf8) } ?? ""
    }

    /// Which members there are, of the first element of each list.
    private static func shape(_ json: Data) throws -> String {
        func shape(_ value: Any) -> String {
            if let members = value as? [String: Any] {
                let named = members.sorted { $0.key < $1.key }.map { "\($0.key): \(shape($0.value))" }
                return "{\(named.joined(separator: ", "))}"
            }
            if let list = value as? [Any] { return "[\(list.first.map(shape) ?? "")]" }
            return "_"
        }
        return shape(try JSONSerialization.jsonObject(with: json))
    }
}
