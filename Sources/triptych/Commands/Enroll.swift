import ArgumentParser
import Foundation
import Training
import TriptychClient

/// `triptych enroll`.
struct Enroll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Enrols a split of a data set, or one triple, in a gallery of a running server.",
        discussion: """
            Makes the gallery if it does not exist. Each triple of a data set is sent with an idempotency key, so that the command \
            can be run again after a failure without enrolling anything twice. One triple takes --identity and its images in \
            place of --data.
            """)

    @OptionGroup var target: GalleryOptions
    @Option(help: "The data set's folder.", completion: .directory)
    var data: String?
    @OptionGroup var layout: LayoutOptions
    @Option(help: "train, query or gallery.", completion: .list(["train", "query", "gallery"]))
    var split = "gallery"
    @Option(help: "Requests under way at the same time.")
    var concurrency = 4
    @Option(help: "Whose the triple is.")
    var identity: String?
    @Option(help: "The identity's label, if it is new.")
    var label: String?
    @Option(help: "Sent again with the same one, the triple is not enrolled anew.")
    var idempotencyKey: String?
    @OptionGroup var images: TripleOptions
    @OptionGroup var seen: SeenOptions
    @Flag(help: "Print the outcome as JSON.")
    var json = false

    private struct Outcome: Encodable {
        let gallery: String
        let identities: Int
        let sightings: Int
        let seconds: Double
    }

    func validate() throws {
        guard (data == nil) == (identity != nil), images.isEmpty == (identity == nil) else {
            throw ValidationError("expected --data, or --identity with --rgb, --nir or --tir")
        }
    }

    func run() async throws {
        let client = try target.server.client()
        let sightings = try data.map { try layout.open($0).sightings(Split.parse(split)) }
        let gallery = try await client.createGallery(target.gallery, existOK: true)
        if let sightings { return try await enrol(sightings, in: gallery) }
        try await enrolOne(in: gallery)
    }

    private func enrolOne(in gallery: GalleryClient) async throws {
        let triples = try images.triples()
        guard triples.count == 1, let identity else {
            throw ValidationError("expected one triple, found \(triples.count)")
        }
        let options = EnrolmentOptions(
            camera: seen.camera, capturedAt: seen.time, metadata: try seen.metadata(), label: label)
        let sighting = try await gallery.enrol(
            identity, .triple(triples[0]), options, idempotencyKey: idempotencyKey)
        if json { return try Output.json(sighting) }
        print("enrolled \(sighting.id) of \(sighting.identity)")
    }

    private func enrol(_ sightings: [TriplesDataset.Sighting], in gallery: GalleryClient) async throws {
        let start = Date()
        _ = try await SplitUpload(sightings: sightings, concurrency: concurrency)
            .run(Progress("enrolling", unit: "triples")) { sighting in
                try await gallery.enrol(
                    sighting.identity, .triple(sighting.triple()),
                    EnrolmentOptions(camera: "\(sighting.camera)", metadata: ["file": .string(sighting.name)]),
                    idempotencyKey: sighting.name
                ).id
            }
        let outcome = Outcome(
            gallery: gallery.name, identities: Set(sightings.map(\.identity)).count, sightings: sightings.count,
            seconds: -start.timeIntervalSinceNow)
        if json { return try Output.json(outcome) }
        print("enrolled \(outcome.sightings) triples of \(outcome.identities) identities in gallery \(gallery.name)")
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
