import Foundation

/// How a whole gallery is written.
public enum TransferFormat: String, Sendable, CaseIterable {
    /// A line of JSON for each identity and sighting, images in base64.
    case lines = "application/x-ndjson"
    /// A tar archive of such lines and of images.
    case archive = "application/x-tar"

    /// By a file's name: `.tar`, or `.ndjson` and `.jsonl`. Throws `ClientError.invalidArgument` for another.
    public init(of file: URL) throws {
        switch file.pathExtension {
        case "tar": self = .archive
        case "ndjson", "jsonl": self = .lines
        default:
            throw ClientError.invalidArgument("expected a name that ends in .tar or .ndjson, found '\(file.path)'")
        }
    }
}

extension GalleryClient {
    /// Writes the whole gallery to a file, as an import takes it. It has its name once it is whole: what was broken off leaves
    /// nothing behind.
    ///
    /// - Parameters:
    ///   - file: where to.
    ///   - format: by default as the name says.
    ///   - progress: is told how many bytes have come.
    public func export(
        to file: URL, format: TransferFormat? = nil, progress: @Sendable (Int) -> Void = { _ in }
    ) async throws {
        var request = Request.get(path("export"))
        request.accept = try (format ?? TransferFormat(of: file)).rawValue
        try await transport.download(request, to: file, progress: progress)
    }

    /// Starts a job that enrols what is in a file, which is read as it is sent. What is wrong with a line is in the job's result;
    /// lines that were sent before enrol nothing twice.
    ///
    /// - Parameters:
    ///   - file: where from.
    ///   - format: by default as the name says.
    ///   - progress: is told how many bytes are sent, and of how many.
    public func importFile(
        _ file: URL, format: TransferFormat? = nil,
        progress: @escaping @Sendable (_ sent: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> Job {
        let type = try (format ?? TransferFormat(of: file)).rawValue
        var request = Request.post(path("imports"), try .file(file, type: type, progress: progress))
        // The server puts an import onto its disk before it answers.
        request.timeout = .seconds(600)
        return try await transport.ask(request)
    }
}
