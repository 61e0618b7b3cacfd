import ArgumentParser
import Foundation
import Server

/// The one executable: every job of the project is a subcommand.
@main
struct Triptych: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "triptych",
        abstract: "Re-identifies vehicles and people from visible, near-infrared and thermal images of one sighting.",
        discussion: """
            A triple is up to one image a modality (rgb, nir, tir) of the same object at the same moment. Encoders are \
            trained from datasets of triples; a server keeps a gallery of enrolled sightings and answers a query triple \
            with its identities, ranked by cosine similarity.

            From nothing to a running service:
              triptych synthesize --output data
              triptych train --config graft-demo --data data --output run
              triptych serve --checkpoint run/model.safetensors --database gallery.sqlite
            """,
        version: TriptychServer.version,
        subcommands: [
            Serve.self, Publish.self, Train.self, Recipes.self, Prune.self, Quantize.self, WatchRun.self, Report.self,
            Compare.self, SweepCommand.self, Evaluate.self, Embed.self, Enroll.self, Query.self,
            Identify.self, Watch.self, Synthesize.self, DatasetCommand.self, Import.self, Inspect.self,
            Export.self,
            GalleryCommand.self, ModelsCommand.self, JobsCommand.self, ServersCommand.self, KeysCommand.self,
            Backup.self, Restore.self,
            Benchmark.self,
        ])

}
