import Documents
import Foundation
import Gallery
import Hummingbird
import Inference
import Serving

/// POST `/v1/galleries/{gallery}/queries`: a triple, a vector or a text → ranked matches.
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
                unknown: answer.result.unknown,
                timing: .init(
                    decodeMs: answer.decodeMilliseconds, encodeMs: answer.encodeMilliseconds,
                    searchMs: answer.search.seconds * 1000)))
    }
}

/// What a query may ask for beside its triple.
private struct AskedQuery {
    var options = QueryService.Options()
    var vector: [Float]?
    var modalities: [String]?
    var model: String?
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

    /// What is looked for. Throws `RequestError.invalid` if there is more than one.
    func subject(_ images: [Modality: Data]) throws -> QueryService.Subject {
        guard [!images.isEmpty, vector != nil, text != nil].count(where: { $0 }) < 2 else {
            throw RequestError.invalid(
                field: text == nil ? "vector" : "text", expected: "either images, a vector or a text",
                found: "more than one")
        }
        if let vector { return .vector(vector, modalities: modalities, model: model) }
        return text.map(QueryService.Subject.text) ?? .triple(images)
    }

    private static func vector(_ fields: inout Fields) throws -> [Float]? {
        guard let value = fields.value("vector") else { return nil }
        let numbers = value.array?.compactMap(\.number).map { Float($0) } ?? []
        guard let array = value.array, array.count == numbers.count, numbers.allSatisfy(\.isFinite),
            numbers.contains(where: { $0 != 0 })
        else { throw fields.invalid("vector", "a list of finite numbers, not all 0", value) }
        return numbers
    }
}
