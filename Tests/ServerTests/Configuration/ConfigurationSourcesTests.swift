import Documents
import Foundation
import Server
import Testing

@Suite("Sources of the configuration")
struct ConfigurationSourcesTests {
    /// Reads a file of this text, an environment and options.
    private func read(
        _ yaml: String = "", _ environment: [String: String] = [:], _ settings: [String] = [], port: Int? = nil
    ) throws -> ConfigurationReading {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(yaml.utf8).write(to: file)
        var sources = ConfigurationSources(file: file.path, environment: environment)
        for setting in settings { try sources.set(setting) }
        sources.set("--port", "port", port.map(JSONValue.integer))
        return try sources.read()
    }

    private func refused(
        _ yaml: String = "", _ environment: [String: String] = [:], _ settings: [String] = [], port: Int? = nil
    ) -> String {
        let error = #expect(throws: ServerError.self) { try read(yaml, environment, settings, port: port) }
        return error.map { "\($0)" } ?? ""
    }

    /// deploy/triptych.yaml as one has it who wants everything in it.
    private func deployed() throws -> JSONValue {
        let root = URL(filePath: #filePath).appending(path: "../../../../").standardized
        let text = try String(contentsOf: root.appending(path: "deploy/triptych.yaml"), encoding: .utf8)
        let lines = text.split(separator: "\n").map { line in
            line.firstMatch(of: /^( *)# ( *[a-z_]+:( .*)?)$/).map { "\($0.output.1)\($0.output.2)" } ?? String(line)
        }
        return try YAMLDocument.parse(lines.joined(separator: "\n"))
    }

    private func leaves(_ value: JSONValue, _ path: String = "") -> [String: JSONValue] {
        guard let members = value.object else { return [path: value] }
        return members.reduce(into: [:]) { all, member in
            let inner = leaves(member.value, path.isEmpty ? member.key : "\(path).\(member.key)")
            all.merge(inner) { $1 }
        }
    }

    @Test("options come before the environment, that before the file, and that before the defaults, key by key")
    func precedence() throws {
        let yaml = "port: 1\nhost: file\nlimits: {parts: 1, uploads: 1, connections: 1000}"
        let environment = ["TRIPTYCH_PORT": "2", "TRIPTYCH_LIMITS__PARTS": "2", "TRIPTYCH_LIMITS__UPLOADS": "2"]
        let found = try read(yaml, environment, ["limits.parts=3"], port: 4).configuration
        #expect(found.port == 4 && found.host == "file" && found.database == "gallery.sqlite")
        #expect(found.limits.parts == 3 && found.limits.uploads == 2 && found.limits.connections == 1000)
        #expect(try read(yaml, environment).configuration.port == 2 && read(yaml).configuration.port == 1)
        #expect(try read(yaml, environment, ["port=3"], port: 4).configuration.port == 4)
    }

    @Test("text of the environment is what its key takes")
    func texts() throws {
        let found = try read(
            "",
            [
                "TRIPTYCH_CHECKPOINT": "12", "TRIPTYCH_DATABASE": "a: [b", "TRIPTYCH_KEEP_IMAGES": "false",
                "TRIPTYCH_HOSTS": "a.example, 7", "TRIPTYCH_THERMAL_RANGE": "10,20", "TRIPTYCH_QUALITY__MIN_SIDE": "32",
                "TRIPTYCH_QUALITY__MIN_CONTRAST": "1.5", "TRIPTYCH_CORS__ORIGINS": "[\"https://a.example\"]",
                "TRIPTYCH_LOG__LEVEL": "debug",
            ]
        ).configuration
        #expect(found.checkpoint == "12" && found.database == "a: [b" && !found.keepsImages)
        #expect(found.hosts == ["a.example", "7"] && found.thermalRange == [10, 20])
        #expect(found.quality.side == 32 && found.quality.contrast == 1.5)
        #expect(found.origins == ["https://a.example"] && found.log.level == .debug)
        #expect(try read("hosts: [a]", ["TRIPTYCH_HOSTS": ""]).configuration.hosts.isEmpty)
    }

    @Test("what is wrong is named as it was given")
    func errors() {
        #expect(
            refused("port: 1", ["TRIPTYCH_PORT": "x"])
                == "TRIPTYCH_PORT: expected a whole number from 0 to 65535, found \"x\"")
        #expect(refused("", [:], ["limits.parts=0"]).hasPrefix("--set limits.parts: expected a whole number from 1"))
        #expect(refused(port: 70_000) == "--port: expected a whole number from 0 to 65535, found 70000")
        #expect(refused("port: x").contains(".yaml: port: expected a whole number"))
        #expect(
            refused("", ["TRIPTYCH_TLS__KEY": "k"]).hasSuffix("tls.certificate: expected a string, found nothing"))
        #expect(refused("", ["TRIPTYCH_LIMITS": "5"]).hasPrefix("TRIPTYCH_LIMITS: expected an object, found \"5\""))
        #expect(
            refused("", ["TRIPTYCH_LIMITS": "5", "TRIPTYCH_LIMITS__PARTS": "2"]).hasPrefix("TRIPTYCH_LIMITS: expected"))
        #expect(refused("", ["TRIPTYCH_PORT__X": "5"]).hasPrefix("TRIPTYCH_PORT__X: expected a whole number"))
        #expect(refused("- 1", ["TRIPTYCH_PORT": "1"]).hasSuffix("expected an object, found [1]"))
        #expect(refused("hosts: [a]", [:], ["hosts.1=b"]) == "--set hosts.1: expected an index below 1, found 1")
        #expect(refused("", [:], ["port"]) == "--set: expected key.path=value, found \"port\"")
        #expect(refused("", ["TRIPTYCH_THERMAL_RANGE": "2,1"]).hasPrefix("TRIPTYCH_THERMAL_RANGE: expected two rising"))
    }

    @Test(
        "an unknown name is refused with the nearest known one; those of the client and of the tests are not the server's"
    )
    func unknown() throws {
        #expect(
            refused("", ["TRIPTYCH_LIMITS__BODY_BYTE": "1"])
                .hasPrefix("unknown field TRIPTYCH_LIMITS__BODY_BYTE, expected one of TRIPTYCH_LIMITS__BODY_BYTES,"))
        #expect(refused("", ["TRIPTYCH_PROT": "1"]).contains("TRIPTYCH_PROT, expected one of TRIPTYCH_PORT,"))
        #expect(refused("", ["TRIPTYCH_LIMIT__PARTS": "1"]).contains("expected one of TRIPTYCH_LIMITS,"))
        #expect(refused("", ["TRIPTYCH_port": "1"]) == "unknown variable TRIPTYCH_port, expected TRIPTYCH_PORT")
        #expect(refused("", ["TRIPTYCH_": "1"]).hasPrefix("unknown field TRIPTYCH_,"))
        #expect(
            refused("", [:], ["limits.part=1"]).hasPrefix(
                "unknown field --set limits.part, expected one of limits.parts"))
        #expect(refused("prot: 1", ["TRIPTYCH_HOST": "a"]).contains(".yaml: unknown field prot, expected one of port,"))
        let others = ["TRIPTYCH_URL", "TRIPTYCH_KEY", "TRIPTYCH_KEY_FILE", "TRIPTYCH_TESTS", "TRIPTYCH_BINARY", "PORT"]
        #expect(
            try read("", Dictionary(uniqueKeysWithValues: others.map { ($0, "x") })).configuration
                == read().configuration)
    }

    @Test("the cosine that once decided about vectors of another model is refused, with what decides now")
    func compatibleCosine() {
        let refusal = refused("swap: {compatible_cosine: 0.95}")
        #expect(
            refusal.contains(
                "swap.compatible_cosine: expected swap.cross_agreement and swap.cross_map_loss in its place, found 0.95"
            ),
            "\(refusal)")
    }

    @Test("deploy/triptych.yaml has every key, and each can be given by its variable")
    func everyKey() throws {
        let document = try deployed()
        let keys = leaves(document)
        let reading = try read(YAMLDocument.text(document))
        let superseded: Set = ["embed_subsets", "swap.compatible_cosine", "swap.memory_bytes"]
        #expect(Set(keys.keys) == reading.known.subtracting(superseded))
        let environment = try keys.reduce(into: [String: String]()) { environment, key in
            let list = try key.value.array?.map { try $0.string ?? $0.canonicalText() }.joined(separator: ",")
            let isOfObjects = key.value[0]?.object != nil
            environment[ConfigurationSources.variables.variable(key.key)] =
                try key.value.string ?? (isOfObjects ? nil : list) ?? key.value.canonicalText()
        }
        let given = try read("", environment)
        #expect(given.configuration == reading.configuration)
        for entry in given.entries where keys[entry.path] != nil {
            #expect(entry.origin == .variable(ConfigurationSources.variables.variable(entry.path)))
        }
    }

    @Test("the defaults that deploy/triptych.yaml says are those of a server without a file")
    func defaults() throws {
        let root = URL(filePath: #filePath).appending(path: "../../../../").standardized
        let deployed = try ServerConfiguration(path: root.appending(path: "deploy/triptych.yaml").path)
        var expected = ServerConfiguration()
        (expected.checkpoint, expected.database) = (deployed.checkpoint, deployed.database)
        #expect(deployed == expected)
    }

    @Test("the report is a configuration that says the same, with where its values come from")
    func report() throws {
        let reading = try read("limits: {parts: 5}\nhosts: [a]", ["TRIPTYCH_QUALITY__MIN_CONTRAST": "2.5"], port: 9)
        #expect(reading.report.contains("\n  parts: 5  # file\n"))
        #expect(reading.report.contains("\nhosts: [\"a\"]  # file\n"))
        #expect(reading.report.contains("\n  min_contrast: 2.5  # environment: TRIPTYCH_QUALITY__MIN_CONTRAST\n"))
        #expect(reading.report.contains("\nport: 9  # option: --port\n"))
        #expect(reading.report.contains("\ntls: null\n") && reading.report.contains("\n  uploads: 2\n"))
        #expect(try read(reading.report).configuration == reading.configuration)
        let everything = try read(YAMLDocument.text(deployed()))
        #expect(try read(everything.report).configuration == everything.configuration)
    }
}
