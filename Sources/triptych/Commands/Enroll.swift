import ArgumentParser
import Foundation
import Training

/// `triptych enroll`.
struct Enroll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Enrols a split of a data set in a gallery of a running server.",
        discussion: """
            Makes the gallery if it does not exist. Each triple is sent with an idempotency key, so that the command can be \
            run again after a failure without enrolling anything twice.
            """)

    @OptionGroup var server: ServerOptions
    @Option(help: "The gallery.")
    var gallery: String
    @Option(help: "The data set's folder.")
    var data: String
    @Option(help: "train, query or gallery.")
    var split = "gallery"
    @Option(help: "Requests under way at the same time.")
    var concurrency = 4
    @Flag(help: "Print the outcome as JSON.")
    var json = false

    private struct Options: Encodable {
        let camera: String
        let metadata: [String: String]
    }

    private struct Named: Encodable {
        let name: String
    }

    private struct Ignored: Decodable {}

    private struct Outcome: Encodable {
        let gallery: String
        let identities: Int
        let sightings: Int
        let seconds: Double
    }

    func run() async throws {
        let client = try server.client()
        let sightings = try TriplesDataset(root: URL(fileURLWithPath: data)).sightings(Split.parse(split))
        let body = ("application/json", try JSONEncoder().encode(Named(name: gallery)))
        // 409: it exists already.
        _ = try await client.send("POST", ["v1", "galleries"], body: body, tolerating: [409], as: Ignored.self)
        let start = Date()
        let gallery = gallery
        _ = try await SplitUpload(client: client, sightings: sightings, concurrency: concurrency)
            .run(Progress("enrolling", unit: "triples")) { sighting in
                var form = try SplitUpload.form(sighting)
                try form.add(
                    "options", json: Options(camera: "\(sighting.camera)", metadata: ["file": sighting.name]))
                _ = try await client.send(
                    "POST", ["v1", "galleries", gallery, "identities", sighting.identity, "sightings"],
                    body: form.encoded, headers: ["Idempotency-Key": sighting.name], as: Ignored.self)
            }
        let outcome = Outcome(
            gallery: gallery, identities: Set(sightings.map(\.identity)).count, sightings: sightings.count,
            seconds: -start.timeIntervalSinceNow)
        if json { return try Output.json(outcome) }
        print("enrolled \(outcome.sightings) triples of \(outcome.identities) identities in gallery \(gallery)")
    }
}

/// The splits as arguments.
enum Split {
    /// Throws `ValidationError` for anything else.
    static func parse(_ name: String) throws -> TriplesDataset.Split {
        guard let split = TriplesDataset.Split(rawValue: name) else {
            throw ValidationError("--split: expected train, query or gallery, found \(name)")
        }
        return split
    }
}
