import Foundation

/// A checkpoint that the server has verified.
public struct ServedModel: Codable, Sendable, Equatable {
    /// The SHA-256 digest of its file, or what its vectors are known by where it is computed in another precision.
    public let model: String
    /// Whether it answers.
    public let active: Bool
    /// The job that is to make it answer, if there is one that has not ended.
    public let activation: String?
    /// That it has embedded, over all galleries.
    public let sightings: Int
    /// `graft`, `unicat`, …
    public let system: String
    /// `resnet` or `vit`.
    public let backbone: String
    /// What it was built for.
    public let modalities: [String]
    /// Elements of its vectors.
    public let dimension: Int
    /// How many it has.
    public let parameters: Int
    /// The share of parameters that is zero.
    public let sparsity: Double
    /// Of the file.
    public let bytes: Int
    /// Of its narrowest weights: `float32`, `bf16` or `int8`.
    public let precision: String
    /// Then the digest of its file,
    public let checkpoint: String?
    /// and the precision.
    public let computed: String?
    /// What it was pruned or quantised from.
    public let parent: String?
    /// Whether the file has a self-test; if so, it passed.
    public let selfTested: Bool
    /// Where it comes from.
    public let training: JSONValue?
    /// What was pruned.
    public let pruning: JSONValue?
    /// What has become narrow, and how it was measured.
    public let quantization: JSONValue?
}

extension Client {
    /// The models that may answer, in order of their digests.
    public func models(pageSize: Int = 200) -> Pages<ServedModel> {
        Pages(transport, .get(path("models")), pageSize: pageSize)
    }

    /// A model by its digest.
    public func model(_ model: String) async throws -> ServedModel {
        try await transport.ask(.get(path("models", model)))
    }

    /// Hands over a checkpoint, which is read as it is sent, and returns once the server has verified it.
    ///
    /// - Parameters:
    ///   - checkpoint: its file.
    ///   - progress: is told how many bytes are sent, and of how many.
    public func uploadModel(
        _ checkpoint: URL, progress: @escaping @Sendable (_ sent: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> ServedModel {
        let body = try Request.Body.file(checkpoint, type: "application/octet-stream", progress: progress)
        // Sent again after all had come, it is here already.
        var request = Request.post(path("models"), body, isRepeatable: true)
        // A server verifies a model for up to so long before it answers, as it is configured by default.
        request.timeout = .seconds(900)
        return try await transport.ask(request)
    }

    /// Erases a model that is not active, and all its embeddings.
    public func eraseModel(_ model: String) async throws { try await transport.erase(path("models", model)) }

    /// Starts a job that makes a model the active one once it has embedded everything.
    ///
    /// - Parameters:
    ///   - model: its digest.
    ///   - dryRun: whether the job compares it with the active one instead, and changes nothing.
    ///   - allowFewerModalities: whether it need not know all modalities of the active one.
    public func activate(
        _ model: String, dryRun: Bool = false, allowFewerModalities: Bool = false
    ) async throws -> Job {
        var request = Request.post(path("models", model, "activation"))
        request.query = [("dry_run", "\(dryRun)"), ("allow_fewer_modalities", "\(allowFewerModalities)")]
        return try await transport.ask(request)
    }
}
