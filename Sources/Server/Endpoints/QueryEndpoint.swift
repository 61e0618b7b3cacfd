import Documents
import Foundation
import Gallery
import Hummingbird
import Inference
import Serving

/// POST `/v1/galleries/{gallery}/queries`: a triple, vectors or a text → ranked matches; POST `…/queries/batch`: up to 64.
struct QueryEndpoint {
    let queries: QueryService
    let bodies: BodyReader
    let metrics: ServerMetrics

    private struct Timing: Encodable {
        let decodeMs: Double
        let encodeMs: Double
        let searchMs: Double
    }

    private struct Reply: Encodable {
        let model: String
        let modalities: [String]
        let matches: [Match]
        let unknown: Bool
        let incomparable: Int
        /// Of a query on its own.
        var timing: Timing?

        init(_ answer: QueryService.Answer) {
            (model, modalities) = (answer.model, answer.modalities)
            (matches, unknown) = (answer.result.matches, answer.result.unknown)
            incomparable = answer.result.statistics.incomparable
        }
    }

    private enum Item: Encodable {
        case answer(Reply)
        case problem(Problem)

        private enum CodingKeys: String, CodingKey { case problem }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .answer(let reply): try reply.encode(to: encoder)
            case .problem(let problem):
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(problem, forKey: .problem)
            }
        }
    }

    private struct BatchReply: Encodable {
        let results: [Item]
        let timing: Timing
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/galleries/{gallery}/queries") { request, context in
            try await query(request, context)
        }
        router.post("/v1/galleries/{gallery}/queries/batch") { request, context in
            try await batch(request, context)
        }
    }

    private func query(_ request: Request, _ context: ServerContext) async throws -> Response {
        var body = try await bodies.triple(request)
        let subject = try QueryService.Subject(body.triple(), &body.options)
        let options = try QueryService.Options(&body.options)
        try body.options.finish()
        let answer = try await queries.answer(subject, options, in: context.parameter("gallery"))
        metrics.queried(isUnknown: answer.result.unknown)
        var reply = Reply(answer)
        reply.timing = Timing(
            decodeMs: answer.decodeMilliseconds, encodeMs: answer.encodeMilliseconds,
            searchMs: answer.search.seconds * 1000)
        return try Answer.json(reply)
    }

    private func batch(_ request: Request, _ context: ServerContext) async throws -> Response {
        var body = try await bodies.batch(request, .queries)
        let options = try QueryService.Options(&body.options)
        try body.options.finish()
        let subjects = try body.items.map { item in
            var fields = item.fields
            let subject = try QueryService.Subject(item.images, &fields)
            try fields.finish()
            return subject
        }
        let results = try await queries.answers(subjects, options, in: context.parameter("gallery"))
        let answers = results.compactMap { try? $0.get() }
        for answer in answers { metrics.queried(isUnknown: answer.result.unknown) }
        return try Answer.json(
            BatchReply(
                results: try results.map { try item($0, context) },
                timing: Timing(
                    decodeMs: answers.map(\.decodeMilliseconds).max() ?? 0,
                    encodeMs: answers.map(\.encodeMilliseconds).max() ?? 0,
                    searchMs: (answers.first?.search.seconds ?? 0) * 1000)))
    }

    /// What is wrong with one query alone is said in its place; what nobody foresaw is an error of the whole.
    private func item(_ result: Result<QueryService.Answer, any Error>, _ context: ServerContext) throws -> Item {
        switch result {
        case .success(let answer): return .answer(Reply(answer))
        case .failure(let error):
            guard let entry = ProblemTable.entry(error), entry.status.code < 500 else { throw error }
            return .problem(Problem(entry, instance: context.requestID))
        }
    }
}

extension QueryService.Options {
    /// How something is looked for. Throws `DocumentError` or `RequestError.invalid`.
    fileprivate init(_ fields: inout Fields) throws {
        self.init()
        limit = try fields.integer("limit", 1...1000) ?? limit
        threshold = try fields.number("threshold", -1...1).map { Float($0) }
        if let name = try fields.string("group_by") {
            guard let grouping = Grouping(rawValue: name) else {
                throw RequestError.invalid(
                    field: fields.name("group_by"), expected: "identity or sighting", found: "\"\(name)\"")
            }
            self.grouping = grouping
        }
        filter = try fields.filter("filter")
        rerank = try Self.rerank(&fields)
        explains = try fields.bool("by_modality") ?? explains
    }

    /// `true`, or `{"candidates": 200}`.
    private static func rerank(_ fields: inout Fields) throws -> Int? {
        if let isWanted = fields.value("rerank")?.bool { return isWanted ? 200 : nil }
        guard var section = try fields.object("rerank") else { return nil }
        let candidates = try section.integer("candidates", 2...1000) ?? 200
        try section.finish()
        return candidates
    }
}

extension QueryService.Subject {
    /// What is looked for. Throws `DocumentError`, or `RequestError.invalid` if there is more than one.
    fileprivate init(_ images: [Modality: SentImage], _ fields: inout Fields) throws {
        let (vectors, text) = (try fields.vectors(), try fields.string("text"))
        let sighting = try fields.string("sighting")
        guard [!images.isEmpty, vectors != nil, text != nil, sighting != nil].count(where: { $0 }) < 2 else {
            throw RequestError.invalid(
                field: fields.name(sighting != nil ? "sighting" : text == nil ? "vector" : "text"),
                expected: "either images, vectors, a text or a sighting", found: "more than one")
        }
        self =
            vectors.map { .vectors($0) } ?? text.map { .text($0) } ?? sighting.map { .sighting($0) } ?? .triple(images)
    }
}
