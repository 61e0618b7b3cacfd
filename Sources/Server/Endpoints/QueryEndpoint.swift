import Foundation
import Gallery
import Hummingbird
import Inference

/// POST `/v1/galleries/{gallery}/queries`: a triple, a vector or a text → ranked matches.
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
        let asked = try await embedding(body, options)
        let start = ContinuousClock.now
        let result = try await service.gallery.query(
            GalleryQuery(
                embedding: asked.embedding, subsets: asked.subsets, limit: options.limit, threshold: options.threshold,
                grouping: options.grouping, filter: options.filter), in: gallery)
        let duration = start.duration(to: .now)
        service.metrics.queried(in: duration, isUnknown: result.unknown)
        return try Answer.json(
            Reply(
                model: asked.embedding.model, modalities: asked.embedding.modalities, matches: result.matches,
                unknown: result.unknown,
                timing: .init(
                    decodeMs: asked.decodeMilliseconds, encodeMs: asked.encodeMilliseconds,
                    searchMs: duration.seconds * 1000)))
    }

    /// What is looked for.
    private struct Asked {
        let embedding: SightingEmbedding
        var subsets: [SightingEmbedding] = []
        var decodeMilliseconds = 0.0
        var encodeMilliseconds = 0.0
    }

    private func embedding(_ body: TripleBody, _ options: QueryOptions) async throws -> Asked {
        let encoder = service.models.active
        guard [!body.images.isEmpty, options.vector != nil, options.text != nil].count(where: { $0 }) < 2 else {
            throw RequestError.invalid(
                field: options.text == nil ? "vector" : "text", expected: "either images, a vector or a text",
                found: "more than one")
        }
        if let vector = options.vector {
            return Asked(
                embedding: SightingEmbedding(
                    model: options.model ?? encoder.model,
                    modalities: options.modalities ?? encoder.modalities.map(\.rawValue), values: vector))
        }
        if let text = options.text {
            let start = ContinuousClock.now
            let vector = try await encoder.embed(text: text)
            return Asked(
                embedding: SightingEmbedding(model: encoder.model, modalities: ["text"], values: vector),
                encodeMilliseconds: start.duration(to: .now).seconds * 1000)
        }
        let encoded = try await service.encode(body.triple(), with: encoder, withSubsets: true)
        return Asked(
            embedding: encoded.embedding.stored(model: encoder.model),
            subsets: encoded.subsets.map { $0.stored(model: encoder.model) },
            decodeMilliseconds: encoded.decodeMilliseconds, encodeMilliseconds: encoded.encodeMilliseconds)
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
    var text: String?

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
        text = try fields.string("text")
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
