import Foundation
import Gallery
import Hummingbird
import Serving

/// POST `/v1/galleries/{gallery}/evaluations` and `…/maps`, as jobs; GET `…/evaluations/latest` and `…/maps/latest`.
struct AnalysisEndpoints {
    let surveys: SurveyService
    let models: AnsweringModels
    let gallery: GalleryStore
    let bodies: BodyReader

    private static let seeds = 0...Int(Int32.max)

    func add(to router: Router<ServerContext>) {
        router.post("/v1/galleries/{gallery}/evaluations") { request, context in
            var fields = try await bodies.fields(request)
            let samples = try fields.integer("samples", 1...100_000) ?? 2000
            let seed = try fields.integer("seed", Self.seeds) ?? 1
            try fields.finish()
            return try Answer.accepted(
                await surveys.evaluate(context.parameter("gallery"), samples: samples, seed: UInt64(seed)))
        }
        router.get("/v1/galleries/{gallery}/evaluations/latest") { request, context in
            let report = try await gallery.latestEvaluation(
                in: context.parameter("gallery"), model: request.uri.queryParameters["model"].map(String.init))
            return try Answer.json(EvaluationView(report: report, active: await models.current().model))
        }
        router.post("/v1/galleries/{gallery}/maps") { request, context in
            var (fields, options) = (try await bodies.fields(request), MapOptions())
            options.samples = try fields.integer("samples", 2...20_000) ?? options.samples
            options.perplexity = try fields.number("perplexity", 2...100) ?? options.perplexity
            options.seed = try fields.integer("seed", Self.seeds).map { UInt64($0) } ?? options.seed
            try fields.finish()
            return try Answer.accepted(await surveys.map(context.parameter("gallery"), options))
        }
        router.get("/v1/galleries/{gallery}/maps/latest") { request, context in
            let page = try await gallery.latestMap(
                in: context.parameter("gallery"), model: request.uri.queryParameters["model"].map(String.init),
                request.pageRequest())
            return try Answer.json(MapView(page: page, active: await models.current().model))
        }
    }
}

/// What an answer says beside what was found.
private struct AnalysisView: Encodable {
    /// Whether another model answers now.
    let stale: Bool
    let createdAt: Date
}

private struct EvaluationView: Encodable {
    private struct Named: Encodable {
        let worstIdentities: [PoorIdentity]
        let failures: [FailedQuery]
    }

    let report: EvaluationReport
    let active: String

    func encode(to encoder: any Encoder) throws {
        try report.evaluation.encode(to: encoder)
        try AnalysisView(stale: report.evaluation.model != active, createdAt: report.createdAt).encode(to: encoder)
        try Named(worstIdentities: report.worst, failures: report.failures).encode(to: encoder)
    }
}

private struct MapView: Encodable {
    private struct Identified: Encodable {
        /// Another map has another one.
        let id: String
    }

    let page: MapPage
    let active: String

    func encode(to encoder: any Encoder) throws {
        try Identified(id: String(page.id)).encode(to: encoder)
        try page.map.encode(to: encoder)
        try AnalysisView(stale: page.map.model != active, createdAt: page.createdAt).encode(to: encoder)
        try page.points.encode(to: encoder)
    }
}
