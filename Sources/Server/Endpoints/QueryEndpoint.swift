import Foundation
import Gallery
import Hummingbird
import Serving

/// POST `/v1/galleries/{gallery}/queries`: one or several exemplars, as triples, vectors or texts → ranked matches; POST
/// `…/queries/batch`: up to 64; POST `/v1/queries`: over several galleries.
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
        /// Where an index was asked that may have missed some.
        let approximate: Bool?
        /// Of a query on its own.
        var timing: Timing?

        init(_ answer: QueryService.Answer) {
            (model, modalities) = (answer.model, answer.modalities)
            (matches, unknown) = (answer.result.matches, answer.result.unknown)
            incomparable = answer.result.statistics.incomparable
            approximate = answer.result.statistics.isApproximate ? true : nil
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
        router.post("/v1/queries") { request, context in try await queryGalleries(request, context) }
    }

    private func query(_ request: Request, _ context: ServerContext) async throws -> Response {
        var body = try await bodies.batch(request, .exemplars)
        let subject = try QueryService.Subject(&body)
        let options = try QueryService.Options(&body.options)
        try body.options.finish()
        return try reply(try await queries.answer(subject, options, in: context.parameter("gallery")))
    }

    private func queryGalleries(_ request: Request, _ context: ServerContext) async throws -> Response {
        var body = try await bodies.batch(request, .exemplars)
        let galleries = try body.options.galleries()
        for name in galleries {
            // Whether it is there or not, as where a path names it.
            try context.principal?.require(Permission(role: .read, scope: .gallery), gallery: name)
        }
        context.asker.galleries = galleries
        let subject = try QueryService.Subject(&body)
        let options = try QueryService.Options(&body.options)
        try body.options.finish()
        return try reply(try await queries.answer(subject, options, over: galleries))
    }

    private func reply(_ answer: QueryService.Answer) throws -> Response {
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
        let subjects = try body.items.map(QueryService.Subject.init)
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
