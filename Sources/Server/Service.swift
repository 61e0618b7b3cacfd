import Foundation
import Gallery
import Imaging
import Inference
import Logging
import NIOPosix

/// What the endpoints work with: the models, the gallery, and the way from bytes to embeddings.
struct Service: Sendable {
    let models: ModelRegistry
    let catalog: ModelCatalog
    let jobs: JobBoard
    let gallery: GalleryStore
    let swap: ServerConfiguration.Swap
    let limits: ServerConfiguration.Limits
    let keepsImages: Bool
    private let embedsSubsets: Bool
    let metrics: ServerMetrics
    let decoder: ImageDecoder
    let scalesDecoding: Bool
    let decoding: NIOThreadPool

    init(
        _ configuration: ServerConfiguration, encoder: any TripleEncoder, catalog: ModelCatalog, gallery: GalleryStore,
        metrics: ServerMetrics, logger: Logger
    ) {
        models = ModelRegistry(encoder)
        self.catalog = catalog
        jobs = JobBoard(gallery: gallery, logger: logger)
        self.gallery = gallery
        swap = configuration.swap
        self.metrics = metrics
        limits = configuration.limits
        keepsImages = configuration.keepsImages
        embedsSubsets = configuration.embedsSubsets
        decoder = ImageDecoder(
            limits: ImageLimits(bytes: limits.imageBytes, pixels: limits.imagePixels),
            thermalRange: configuration.thermalRange.map { UInt16($0[0])...UInt16($0[1]) })
        scalesDecoding = configuration.scalesDecoding
        decoding = NIOThreadPool(numberOfThreads: 2)
        decoding.start()
    }

    /// An embedding with what it took.
    struct Encoded: Sendable {
        let embedding: Embedding
        /// Those of fewer of the modalities, if they were asked for.
        let subsets: [Embedding]
        let decodeMilliseconds: Double
        let encodeMilliseconds: Double

        /// All of them, as the gallery takes them.
        func stored(model: String) -> [SightingEmbedding] { ([embedding] + subsets).map { $0.stored(model: model) } }

        /// The one of just these modalities, or of all.
        func embedding(of modalities: Set<Modality>) -> Embedding {
            subsets.first { Set($0.modalities) == modalities } ?? embedding
        }
    }

    /// Decodes off the cooperative pool, then encodes on the compute thread, each set of modalities if `withSubsets` says
    /// so and the configuration allows. Throws `RequestError.noImage`, `UndecodableImage` or `EncoderError`.
    func encode(
        _ images: [Modality: Data], with encoder: any TripleEncoder, withSubsets: Bool = false
    ) async throws -> Encoded {
        guard !images.isEmpty else { throw RequestError.noImage }
        for modality in images.keys.sorted() where !encoder.modalities.contains(modality) {
            throw EncoderError.unknownModality(found: modality, expected: encoder.modalities)
        }
        let all = withSubsets && embedsSubsets
        let start = ContinuousClock.now
        let (embeddings, middle) = try await encoder.expecting(Set(images.keys), withSubsets: all) {
            let decoded = try await decode(images, for: encoder)
            let middle = ContinuousClock.now
            return (try await embed(decoded, with: encoder, withSubsets: all), middle)
        }
        let end = ContinuousClock.now
        metrics.encoded(in: middle.duration(to: end))
        return Encoded(
            embedding: embeddings[0], subsets: Array(embeddings.dropFirst()),
            decodeMilliseconds: start.duration(to: middle).seconds * 1000,
            encodeMilliseconds: middle.duration(to: end).seconds * 1000)
    }

    private func embed(
        _ images: [Modality: Image], with encoder: any TripleEncoder, withSubsets: Bool
    ) async throws -> [Embedding] {
        try await Deadline.run(seconds: limits.requestSeconds, or: .deadline(seconds: limits.requestSeconds)) {
            withSubsets ? try await encoder.embedSubsets(images) : [try await encoder.embed(images)]
        }
    }

    /// Encodes what was kept of a sighting, beside the requests: whenever they leave cores free, and the time after it is
    /// theirs alone, so that this takes no more than its share. nil if the model knows none of the images' modalities. Throws as `encode` does.
    func encodeInBackground(
        _ images: [KeptImage], with encoder: any TripleEncoder, withSubsets: Bool = false
    ) async throws -> Encoded? {
        let known = images.compactMap { image in
            Modality(rawValue: image.modality).flatMap { encoder.modalities.contains($0) ? ($0, image.bytes) : nil }
        }
        guard !known.isEmpty else { return nil }
        let start = ContinuousClock.now
        let encoded = try await encode(
            Dictionary(uniqueKeysWithValues: known), with: encoder.inBackground, withSubsets: withSubsets)
        try await Task.sleep(for: start.duration(to: .now) * (1 / swap.share - 1))
        return encoded
    }

    /// Bytes that a sighting takes in memory once a model has embedded it: four an element, and one of its code.
    func vectorBytes(of model: ModelSummary) -> Int {
        (embedsSubsets ? (1 << model.modalities.count) - 1 : 1) * model.dimension * 5
    }

    /// Starts what a job's record says. Throws `ModelError`.
    func start(_ job: JobRecord) async throws {
        switch job.kind {
        case Activation.kind:
            let activation = Activation(model: job.model, service: self)
            try await jobs.start(job, activation.run)
        default:
            let shadow = ShadowEvaluation(model: job.model, service: self)
            try await jobs.start(job, shadow.run)
        }
    }

    /// Ends the decoding threads.
    func shutDown() async { try? await decoding.shutdownGracefully() }
}

extension Embedding {
    /// As the gallery takes it.
    func stored(model: String) -> SightingEmbedding {
        SightingEmbedding(model: model, modalities: modalities.map(\.rawValue), values: values)
    }
}

extension Duration {
    /// In seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
