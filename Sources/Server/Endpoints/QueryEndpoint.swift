import Documents
import Foundation
import Gallery
import Hummingbird
import Inference
import Serving

/// POST `/v1/galleries/{gallery}/queries`: a triple, vectors or a text → ranked matches.
struct QueryEndpoint {
    let queries: QueryService
    let bodies: BodyReader
    let metrics: ServerMetrics

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
        let incomparable: Int
        let timing: Timing
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/galleries/{gallery}/queries") { request, context in
            try await query(request, context)
        }
    }

    private func query(_ request: Request, _ context: ServerContext) async throws -> Response {
        var body = try await bodies.triple(request)
        let asked = try AskedQuery(&body.options)
        try body.options.finish()
        let answer = try await queries.answer(
            try asked.subject(body.triple()), asked.options, in: context.parameter("gallery"))
        metrics.queried(in: answer.search, isUnknown: answer.result.unknown)
        return try Answer.json(
            Reply(
                model: answer.model, modalities: answer.modalities, matches: answer.result.matches,
                unknown: answer.result.unknown, incomparable: answer.result.statistics.incomparable,
                timing: .init(
                    decodeMs: answer.decodeMilliseconds, encodeMs: answer.encodeMilliseconds,
                    searchMs: answer.search.seconds * 1000)))
    }
}

/// What a query may ask for beside its triple.
private struct AskedQuery {
    var options = QueryService.Options()
    var vectors: GivenVectors?
    var text: String?

    init(_ fields: inout Fields) throws {
        options.limit = try fields.integer("limit", 1...1000) ?? options.limit
        options.threshold = try fields.number("threshold", -1...1).map { Float($0) }
        if let name = try fields.string("group_by") {
            guard let grouping = Grouping(rawValue: name) else {
                throw RequestError.invalid(
                    field: fields.name("group_by"), expected: "identity or sighting", found: "\"\(name)\"")
            }
            options.grouping = grouping
        }
        options.filter = try fields.filter("filter")
        vectors = try fields.vectors()
        text = try fields.string("text")
    }

    /// What is looked for. Throws `RequestError.invalid` if there is more than one.
    func subject(_ images: [Modality: Data]) throws -> QueryService.Subject {
        guard [!images.isEmpty, vectors != nil, text != nil].count(where: { $0 }) < 2 else {
            throw RequestError.invalid(
                field: text == nil ? "vector" : "text", expected: "either images, vectors or a text",
                found: "more than one")
        }
        if let vectors { return .vectors(vectors) }
        return text.map(QueryService.Subject.text) ?? .triple(images)
    }
}
