import ArgumentParser
import Foundation
import TriptychClient

/// `triptych identify`.
struct Identify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says whose a passage before a camera is, and enrols it in a gallery of a running server.",
        discussion: """
            A passage is one triple, or several of one object: repeat --rgb, --nir and --tir, and the nth of each belong together. \
            It is enrolled under the identity that reaches its threshold, or else under a new one. --dry-run enrols nothing.
            """)

    @OptionGroup var images: TripleOptions
    @OptionGroup var gallery: GalleryOptions
    @OptionGroup var seen: SeenOptions
    @Option(help: "The least cosine of a match, in place of the gallery's thresholds.")
    var threshold: Double?
    @Option(help: "How far the first must be ahead of the second.")
    var margin: Double?
    @Option(help: "Contenders to show.")
    var limit = 5
    @Option(help: "Sent again with the same one, nothing is decided or enrolled anew.")
    var idempotencyKey: String?
    @Flag(help: "Enrol nothing.")
    var dryRun = false
    @Flag(help: "Print the answer as JSON.")
    var json = false

    func run() async throws {
        let options = PassageOptions(
            camera: seen.camera, capturedAt: seen.time, metadata: try seen.metadata(), threshold: threshold,
            margin: margin, limit: limit, dryRun: dryRun)
        let found = try await gallery.client().identify(
            images.triples().map(Subject.triple), options, idempotencyKey: idempotencyKey)
        if json { return try Output.json(found) }
        print(verdict(found))
        Output.table(
            [["identity", "score", "threshold", "modalities", "camera", "label"]]
                + found.contenders.map {
                    [
                        $0.identity, String(format: "%.4f", $0.score), String(format: "%.4f", $0.threshold),
                        $0.modalities.joined(separator: "+"), $0.camera ?? "", $0.label ?? "",
                    ]
                })
    }

    private func verdict(_ found: Identification) -> String {
        let kept =
            found.sightings.isEmpty
            ? "nothing enrolled" : found.replayed ? "enrolled before" : "\(found.sightings.count) enrolled"
        if found.matched, let identity = found.identity {
            let score = found.contenders.first { $0.identity == identity }?.score
            return "\(identity)\(score.map { String(format: ", %.4f", $0) } ?? "") (\(kept))"
        }
        if found.ambiguous { return "two identities are too close to tell (\(kept))" }
        if let identity = found.identity { return "new: \(identity) (\(kept))" }
        return found.sufficient ? "nobody who is known (\(kept))" : "shows too little of a newcomer (\(kept))"
    }
}
