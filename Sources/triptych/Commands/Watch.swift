import ArgumentParser
import Foundation
import TriptychClient

/// `triptych watch`.
struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells what happens on a running server, as it happens.",
        discussion: """
            A line for each event, until Control-C or SIGTERM. When the connection breaks or the server restarts it comes again by \
            itself and misses nothing. The number at each line's beginning is the event's: --after goes on from there. A line \
            that says missed stands for events that the server does not have any more.
            """)

    @OptionGroup var server: ServerOptions
    @Option(
        name: .customLong("gallery"), help: "Of this gallery; may be repeated, as all of these (default: all).",
        completion: .galleries)
    var galleries: [String] = []
    @Option(name: .customLong("camera"), help: "Of this camera.")
    var cameras: [String] = []
    @Option(name: .customLong("identity"), help: "Of this identity.")
    var identities: [String] = []
    @Option(
        name: .customLong("kind"), help: "enrolled, matched, new, watchlist, erased or model.",
        completion: .list(["enrolled", "matched", "new", "watchlist", "erased", "model"]))
    var kinds: [String] = []
    @Option(help: "Begin after the event with this number; 0 for all that are kept (default: with the next).")
    var after: Int?
    @Option(help: "End after so many events.")
    var count: Int?
    @Flag(help: "Print an object a line.")
    var json = false

    private struct Missed: Encodable {
        let missed = true
        let after: Int?
    }

    func run() async throws {
        let given = { (values: [String]) in values.isEmpty ? nil : values }
        let filter = EventFilter(
            galleries: given(galleries), cameras: given(cameras), identities: given(identities), kinds: given(kinds))
        let events = try server.client().events(filter, after: after)
        let (json, count) = (json, count)
        try await Interruption.ending {
            var left = count ?? Int.max
            guard left > 0 else { return }
            for try await happening in events {
                try Self.show(happening, json)
                if case .event = happening { left -= 1 }
                if left == 0 { return }
            }
        }
    }

    private static func show(_ happening: Happening, _ json: Bool) throws {
        switch (happening, json) {
        case (.event(let event), true): try Output.line(event)
        case (.missed(let after), true): try Output.line(Missed(after: after))
        case (.event(let event), false): print(line(event))
        case (.missed(let after), false): print("missed: what came after \(after.map { "\($0)" } ?? "the last line")")
        }
        // Whoever reads this through a pipe waits for it.
        fflush(nil)
    }

    private static func line(_ event: Event) -> String {
        let name = [event.identity, event.label.map { "(\($0))" }].compactMap { $0 }.joined(separator: " ")
        let parts: [String?] = [
            "\(event.id)", Wire.text(event.at), event.kind, event.gallery, name.isEmpty ? nil : name, event.camera,
            event.score.map { String(format: "%.4f", $0) }, event.detail.map { Output.text($0) },
        ]
        return parts.compactMap { $0 }.joined(separator: "  ")
    }
}
