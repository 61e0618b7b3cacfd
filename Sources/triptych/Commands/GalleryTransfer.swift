import ArgumentParser
import Documents
import Foundation

/// `triptych gallery export`.
struct GalleryExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a gallery of a running server to a file: identities, sightings, images and vectors.",
        discussion: """
            A tar archive, or lines of JSON if the file's name ends in .ndjson. Imported into a gallery of the same model it \
            answers queries as the first one did. The file takes its name when it is whole.
            """)

    @Argument(help: "The gallery.")
    var gallery: String
    @Option(help: "The file to write, NAME.tar or NAME.ndjson.")
    var output: String
    @OptionGroup var server: ServerOptions

    func run() async throws {
        let type = try ArchiveType.of(output)
        let client = try server.client()
        let partial = "\(output).\(UUID().uuidString).partial"
        defer { unlink(partial) }
        guard FileManager.default.createFile(atPath: partial, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: partial)
        else { throw FileError(operation: "create \(partial)", code: errno) }
        let count = ByteCount("exporting")
        try await client.download(["v1", "galleries", gallery, "export"], accepting: type, into: file) {
            count.update($0)
        }
        try file.close()
        count.finish()
        try DurableFile.move(partial, to: output)
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

    @Argument(help: "The gallery.")
    var gallery: String
    @Argument(help: "The file, NAME.tar or NAME.ndjson.")
    var file: String
    @OptionGroup var server: ServerOptions
    @Flag(help: "Make the gallery if there is none.")
    var create = false
    @Flag(help: "Print the job as JSON.")
    var json = false

    private struct Gallery: Decodable {
        let name: String
    }

    func run() async throws {
        let type = try ArchiveType.of(file)
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw FileError(operation: "open \(file)", code: errno)
        }
        let client = try server.client()
        if create {
            let body = try JSONEncoder().encode(["name": gallery])
            _ = try await client.send(
                "POST", ["v1", "galleries"], body: ("application/json", body), tolerating: [409], as: Gallery.self)
        }
        let count = ByteCount("sending")
        let job = try await client.upload(
            URL(fileURLWithPath: file), type: type, to: ["v1", "galleries", gallery, "imports"], as: ServerJob.self
        ) { count.update($0) }
        count.finish()
        let ended = try await job.waited(on: client)
        if json { try Output.json(ended.json) } else { tell(ended) }
        if ended.state != "succeeded" || ended.result?["failed"]?.integer ?? 0 > 0 { throw ExitCode.failure }
    }

    private func tell(_ job: ServerJob) {
        let count = { (name: String) in job.result?[name]?.integer ?? 0 }
        for error in job.result?["errors"]?.array ?? [] {
            let place = [error["file"]?.string, error["line"]?.integer.map { "line \($0)" }].compactMap { $0 }
            print((place + [error["reason"]?.string ?? ""]).joined(separator: ": "))
        }
        if job.state != "succeeded" { print("\(job.state): \(job.reason ?? "no reason given")") }
        print("\(count("enrolled")) enrolled, \(count("repeated")) were there already, \(count("failed")) are wrong")
    }
}

/// What a file's name says it is.
private enum ArchiveType {
    static func of(_ path: String) throws -> String {
        switch URL(fileURLWithPath: path).pathExtension {
        case "tar": return "application/x-tar"
        case "ndjson", "jsonl": return "application/x-ndjson"
        default: throw ValidationError("expected a name that ends in .tar or .ndjson, found '\(path)'")
        }
    }
}
