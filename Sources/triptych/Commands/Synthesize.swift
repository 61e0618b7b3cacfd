import ArgumentParser
import Foundation
import Synthesis

/// `triptych synthesize`.
struct Synthesize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Renders a data set of vehicle triples.",
        discussion: """
            Writes <output>/<split>/{rgb,nir,tir}/<identity>_c<camera>_<n>.jpg with the splits train, query and gallery. \
            The identities of train are others than those of query and gallery. What tells identities apart is spread \
            over the modalities: paint and markings in RGB, coating and glazing in NIR, heat in TIR. The same seed gives \
            the same files. With --layout rgbnt100, the three images of a sighting are side by side in one, named and put as \
            RGBNT100's are.
            """)

    @Option(help: "The folder to make; it must not exist or be empty.")
    var output: String
    @Option(help: "triples or rgbnt100.")
    var layout = DatasetArrangement.triples
    @Option(help: "How many vehicles.")
    var identities = 100
    @Option(help: "How many cameras see each of them.")
    var cameras = 4
    @Option(help: "How often each camera sees each of them.")
    var sightings = 3
    @Option(help: "Rows of pixels.")
    var height = 128
    @Option(help: "Columns of pixels.")
    var width = 256
    @Option(help: "Of everything random.")
    var seed: UInt64 = 1
    @Flag(help: "Print the data set's description as JSON.")
    var json = false

    func run() async throws {
        let parameters = try SynthesisParameters(
            identities: identities, cameras: cameras, sightings: sightings, height: height, width: width, seed: seed)
        let progress = Progress("rendering", unit: "triples")
        let output = URL(fileURLWithPath: output)
        Interruption.watch()
        let manifest = try DatasetWriter(
            parameters, as: layout, threads: ProcessInfo.processInfo.activeProcessorCount
        )
        .write(to: output, progress: { progress.update($0, of: $1) }, isCancelled: { Interruption.hasHappened })
        if json { return try Output.json(manifest) }
        for (split, triples) in manifest.triples.sorted(by: { $0.key < $1.key }) {
            print("\(split): \(triples.total) triples, \(triples.night) of them at night")
        }
    }
}

extension DatasetArrangement: ExpressibleByArgument {}
