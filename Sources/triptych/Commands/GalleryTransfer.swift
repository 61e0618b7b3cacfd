import ArgumentParser
import Foundation
import TriptychClient

/// `triptych gallery export`.
struct GalleryExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a gallery of a running server to a file: identities, sightings, images and vectors.",
        discussion: """
            A tar archive, or lines of JSON if the file's name ends in .ndjson. Imported into a gallery of the same model it \
            answers queries as the first one did. The file takes its name when it is whole.
            """)

    @Argument(help: "The gallery.", completion: .galleries)
    var gallery: String
    @Option(help: "The file to write, NAME.tar or NAME.ndjson.", completion: .file(extensions: ["tar", "ndjson"]))
    var output: String
    @OptionGroup var server: ServerOptions

    func run() async throws {
        let file = URL(fileURLWithPath: output)
        let format = try Usage.checked { try TransferFormat(of: file) }
        let count = ByteCount("exporting")
        try await server.client().gallery(gallery).export(to: file, format: format) { count.update($0) }
        count.finish()
    }
}

/// `triptych gallery import`.
struct GalleryImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Enrols what is in a file in a gallery of a running server.",
        discussion: """
            The file is an export, or one of your own: lines of JSON with an identity, its images and what is known of them, or \
            a tar archive of such lines and the images that they name (docs/http.md). What is wrong with a line is said and does \
            not stop the others; sent again, nothing is enrolled twice. Ends with 1 if anything was wrong.
            """)

    @Argument(help: "The gallery.", completion: .galleries)
    var gallery: String
    @Argument(help: "The file, NAME.tar or NAME.ndjson.", completion: .file(extensions: ["tar", "ndjson", "jsonl"]))
    var file: String
    @OptionGroup var server: ServerOptions
    @Flag(help: "Make the gallery if there is none.")
    var create = false
    @Flag(help: "Print the job as JSON.")
    var json = false

    func run() async throws {
        let source = URL(fileURLWithPath: file)
        let format = try Usage.checked { try TransferFormat(of: source) }
        let client = try server.client()
        if create { try await client.createGallery(gallery, existOK: true) }
        let count = ByteCount("sending")
        let job = try await client.gallery(gallery).importFile(source, format: format) { sent, _ in count.update(sent) }
        count.finish()
        let ended = try await JobDisplay(client: client, json: json).ended(job)
        if json { try Output.json(ended) } else { tell(ended) }
        if ended.state != "succeeded" || ended.result?["failed"]?.integer ?? 0 > 0 { throw ExitCode.failure }
    }

    private func tell(_ job: Job) {
        let count = { (name: String) in job.result?[name]?.integer ?? 0 }
        for error in job.result?["errors"]?.array ?? [] {
            let place = [error["file"]?.string, error["line"]?.integer.map { "line \($0)" }].compactMap { $0 }
            print((place + [error["reason"]?.string ?? ""]).joined(separator: ": "))
        }
        if job.state != "succeeded" { print("\(job.state): \(job.reason ?? "no reason given")") }
        print("\(count("enrolled")) enrolled, \(count("repeated")) were there already, \(count("failed")) are wrong")
    }
}
