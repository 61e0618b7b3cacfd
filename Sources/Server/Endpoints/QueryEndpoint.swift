import Foundation
import Gallery
import Hummingbird
import Inference

/// POST `/v1/galleries/{gallery}/queries`: a triple, or a vector → ranked matches.
struct QueryEndpoint {
    let service: Service

    private struct Reply: Encodable {
        struct Timing: Encodable {
            let decodeMs: Double
            let encodeMs: Double
            let searchMs: Double
        }

        let model: String
        let modalities: [String]
        let matches: [Match]
        let unknown: Bool
        let timing: Timing
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/galleries/{gallery}/queries") { request, context in
            try await query(request, in: context.parameter("gallery"))
        }
    }

    private func query(_ request: Request, in gallery: String) async throws -> Response {
        var body = try await request.triple(service.limits)
        let options = try QueryOptions(&body.options)
        try body.options.finish()
        try await service.gallery.requireGallery(gallery)  // An unknown gallery costs no encoding.
        var (decodeMs, encodeMs) = (0.0, 0.0)
        var subsets: [SightingEmbedding] = []
        let embedding: SightingEmbedding
        if let vector = options.vector {
            guard body.images.isEmpty else {
                throw RequestError.invalid(field: "vector", expected: "either images or a vector", found: "both")
            }
            embedding = SightingEmbedding(
                model: options.model ?? service.encoder.model,
                modalities: options.modalities ?? service.encoder.modalities.map(\.rawValue), values: vector)
        } else {
            let encoded = try await service.encode(body.triple(), withSubsets: true)
            embedding = encoded.embedding.stored(model: service.encoder.model)
            subsets = encoded.subsets.map { $0.stored(model: service.encoder.model) }
            (decodeMs, encodeMs) = (encoded.decodeMilliseconds, encoded.encodeMilliseconds)
        }
        let start = ContinuousClock.now
        let result = try await service.gallery.query(
            GalleryQuery(
                embedding: embedding, subsets: subsets, limit: options.limit, threshold: options.threshold,
                grouping: options.grouping, filter: options.filter), in: gallery)
        let duration = start.duration(to: .now)
        service.metrics.queried(in: duration, isUnknown: result.unknown)
        return try Answer.json(
            Reply(
                model: embedding.model, modalities: embedding.modalities, matches: result.matches,
                unknown: result.unknown,
                timing: .init(decodeMs: decodeMs, encodeMs: encodeMs, searchMs: duration.seconds * 1000)))
    }
}

/// What a query may ask for beside its triple.
private struct QueryOptions {
    var limit: Int
    var threshold: Float?
    var grouping = Grouping.identity
    var filter: QueryFilter
    var vector: [Float]?
    var modalities: [String]?
    var model: String?

    init(_ fields: inout JSONFields) throws {
        limit = try fields.integer("limit", 1...1000) ?? 10
        threshold = try fields.number("threshold", -1...1).map { Float($0) }
        if let name = try fields.string("group_by") {
            guard let grouping = Grouping(rawValue: name) else {
                throw RequestError.invalid(
                    field: fields.name("group_by"), expected: "identity or sighting", found: "\"\(name)\"")
            }
            self.grouping = grouping
        }
        filter = try fields.filter("filter")
        vector = try Self.vector(&fields)
        modalities = try fields.strings("modalities")
        model = try fields.string("model")
        guard vector != nil || (modalities == nil && model == nil) else {
            throw RequestError.invalid(
                field: fields.name("vector"), expected: "a vector beside modalities and model", found: "nothing")
        }
        if let unknown = modalities?.first(where: { Modality(rawValue: $0) == nil }) {
            throw RequestError.invalid(
                field: fields.name("modalities"), expected: "rgb, nir, tir", found: "\"\(unknown)\"")
        }
        modalities?.sort { (Modality(rawValue: $0) ?? .rgb) < (Modality(rawValue: $1) ?? .rgb) }
    }

    private static func vector(_ fields: inout JSONFields) throws -> [Float]? {
        guard let value = fields.value("vector") else { return nil }
        let numbers = value.array?.compactMap(\.number).map { Float($0) } ?? []
        guard let array = value.array, array.count == numbers.count, numbers.allSatisfy(\.isFinite),
            numbers.contains(where: { $0 != 0 })
        else { throw fields.invalid("vector", "a list of finite numbers, not all 0", value) }
        return numbers
    }
}
