import ArgumentParser
import Foundation
import TriptychClient

/// Images of one object, of which the command line says what they are.
struct TripleOptions: ParsableArguments {
    @Option(help: "A visible image.", completion: .file(extensions: ["jpg", "jpeg", "png"]))
    var rgb: [String] = []
    @Option(help: "A near-infrared image.", completion: .file(extensions: ["jpg", "jpeg", "png"]))
    var nir: [String] = []
    @Option(help: "A thermal-infrared image.", completion: .file(extensions: ["jpg", "jpeg", "png"]))
    var tir: [String] = []
    @Option(
        name: .customLong("box"),
        help: "Where in an image the object is, in pixels: rgb=X,Y,WIDTH,HEIGHT, or 1.rgb=… in the second triple.")
    var boxes: [String] = []

    /// Whether there are any.
    var isEmpty: Bool { rgb.isEmpty && nir.isEmpty && tir.isEmpty && boxes.isEmpty }

    /// The nth image of each modality is of the nth triple. Throws `ValidationError`.
    func triples() throws -> [Triple] {
        let paths: [(Modality, [String])] = [(.rgb, rgb), (.nir, nir), (.tir, tir)].filter { !$0.1.isEmpty }
        guard let count = paths.first?.1.count else {
            throw ValidationError("expected at least one of --rgb, --nir and --tir, found none")
        }
        guard paths.allSatisfy({ $0.1.count == count }) else {
            let found = paths.map { "\($0.1.count) --\($0.0.rawValue)" }.joined(separator: ", ")
            throw ValidationError("expected as many images of each modality, found \(found)")
        }
        let boxes = try boxesByTriple(count)
        return try (0..<count).map { index in
            let files = paths.map { ($0.0, URL(fileURLWithPath: $0.1[index])) }
            return try Usage.checked {
                try Triple(files: Dictionary(uniqueKeysWithValues: files), boxes: boxes[index] ?? [:])
            }
        }
    }

    private func boxesByTriple(_ count: Int) throws -> [Int: [Modality: Box]] {
        try boxes.reduce(into: [:]) { found, text in
            let match = text.wholeMatch(of: /(?:(\d{1,2})\.)?(rgb|nir|tir)=(\d+),(\d+),(\d+),(\d+)/)
            guard let parts = match?.output, let modality = Modality(rawValue: String(parts.2)),
                let x = Int(parts.3), let y = Int(parts.4), let width = Int(parts.5), let height = Int(parts.6)
            else { throw ValidationError("--box: expected rgb=X,Y,WIDTH,HEIGHT, found '\(text)'") }
            let index = parts.1.flatMap { Int($0) } ?? 0
            guard index < count else {
                throw ValidationError("--box: expected one of \(count) triples, found '\(text)'")
            }
            found[index, default: [:]][modality] = Box(x: x, y: y, width: width, height: height)
        }
    }
}

/// Where and when a triple was seen.
struct SeenOptions: ParsableArguments {
    @Option(help: "The camera that has seen it.")
    var camera: String?
    @Option(help: "When it was seen, as 2026-01-31T12:00:00Z.")
    var time: Date?
    @Option(name: .customLong("metadata"), help: "A value of your own, KEY=VALUE; may be repeated.")
    var pairs: [String] = []

    /// nil for none. Throws `ValidationError`.
    func metadata() throws -> Metadata? {
        if pairs.isEmpty { return nil }
        return try pairs.reduce(into: [:]) { metadata, pair in
            guard let mark = pair.firstIndex(of: "="), mark != pair.startIndex else {
                throw ValidationError("--metadata: expected KEY=VALUE, found '\(pair)'")
            }
            let text = String(pair[pair.index(after: mark)...])
            metadata[String(pair[..<mark])] =
                switch text {
                case "true": .bool(true)
                case "false": .bool(false)
                default: Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .string(text)
                }
        }
    }
}

extension Date: @retroactive ExpressibleByArgument {
    /// RFC 3339, with a time zone.
    public init?(argument: String) {
        guard let date = Wire.date(argument) else { return nil }
        self = date
    }
}

/// Asks before something is erased, and tells that it was.
struct Confirmation: ParsableArguments {
    @Flag(help: "Do it without asking.")
    var yes = false
    @Flag(help: "Print what was erased as JSON.")
    var json = false

    /// Tells what was erased.
    func tell(_ name: String) throws {
        if json { return try Output.json(["erased": name]) }
        print("erased \(name)")
    }

    /// Throws `ExitCode.failure` unless that is wanted; without a terminal only `--yes` says so.
    func require(_ question: String) throws {
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw ValidationError("\(question) Expected --yes, as there is no terminal to ask")
        }
        print("\(question) [y/N] ", terminator: "")
        guard readLine()?.lowercased() == "y" else { throw ExitCode.failure }
    }
}
