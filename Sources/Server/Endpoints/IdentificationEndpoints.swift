import Documents
import Foundation
import Gallery
import Hummingbird
import Inference
import Serving

/// POST `/v1/galleries/{gallery}/sightings`: a passage → whose it is; GET and PUT `…/thresholds`, POST `…/calibrations`.
struct IdentificationEndpoints {
    let identification: IdentificationService
    let surveys: SurveyService
    let models: AnsweringModels
    let gallery: GalleryStore
    let bodies: BodyReader
    let metrics: ServerMetrics

    private struct ContenderView: Encodable {
        let identity: String
        let label: String?
        let score: Float
        let threshold: Float
        let modalities: [String]
        let sighting: String
        let camera: String?
        let capturedAt: Date?

        init(_ contender: Contender) {
            let match = contender.match
            (identity, label, score, sighting) = (match.identity, match.label, match.score, match.sighting)
            (camera, capturedAt) = (match.camera, match.capturedAt)
            (threshold, modalities) = (contender.threshold, contender.modalities)
        }
    }

    private struct QualityView: Encodable {
        let side: Int
        let sharpness: Double
        let contrast: Double
    }

    private struct Timing: Encodable {
        let encodeMs: Double
        let searchMs: Double
    }

    private struct Reply: Encodable {
        let model: String
        /// nil for nobody's, if it was not enrolled.
        let identity: String?
        let matched: Bool
        let ambiguous: Bool
        let new: Bool
        let replayed: Bool
        let sufficient: Bool
        let quality: [[String: QualityView]]
        let sightings: [SightingRecord]
        let contenders: [ContenderView]
        let timing: Timing

        init(_ answer: IdentificationService.Answer) {
            let found = answer.identification
            (model, identity, matched) = (answer.model, found.identity, found.isMatched)
            (ambiguous, new, replayed) = (found.isAmbiguous, found.isNew, found.isReplay)
            sufficient = answer.isSufficient
            quality = answer.quality.map { triple in
                Dictionary(
                    uniqueKeysWithValues: triple.map { modality, quality in
                        (
                            modality.rawValue,
                            QualityView(
                                side: quality.side, sharpness: quality.sharpness, contrast: quality.contrast)
                        )
                    })
            }
            (sightings, contenders) = (found.sightings, found.contenders.map(ContenderView.init))
            timing = Timing(encodeMs: answer.encoding.seconds * 1000, searchMs: answer.search.seconds * 1000)
        }
    }

    private struct Thresholds: Encodable {
        let items: [MatchThreshold]
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/galleries/{gallery}/sightings") { request, context in
            try await identify(request, in: context.parameter("gallery"))
        }
        router.get("/v1/galleries/{gallery}/thresholds") { _, context in
            try Answer.json(Thresholds(items: await gallery.thresholds(in: context.parameter("gallery"))))
        }
        router.post("/v1/galleries/{gallery}/calibrations") { request, context in
            try await calibrate(request, in: context.parameter("gallery"))
        }
        router.put("/v1/galleries/{gallery}/thresholds") { request, context in
            var fields = try await bodies.fields(request)
            let named = try fields.string("model")
            let model = if let named { named } else { try await models.current().model }
            let thresholds = try fields.requireObjects("thresholds").map { entry in
                var entry = entry
                let modalities = try entry.require(
                    "modalities", .list(of: "rgb, nir and tir", FieldKind<Modality>.choice))
                let threshold = MatchThreshold(
                    model: model, modalities: modalities.map(\.rawValue),
                    threshold: Float(try entry.require("threshold", .number(-1...1))))
                try entry.finish()
                return threshold
            }
            try fields.finish()
            let name = try context.parameter("gallery")
            try await gallery.setThresholds(thresholds, model: model, in: name)
            return try Answer.json(Thresholds(items: await gallery.thresholds(in: name)))
        }
    }

    private func calibrate(_ request: Request, in name: String) async throws -> Response {
        var fields = try await bodies.fields(request)
        let rate = try fields.require("false_match_rate", .number(Calibration.rates))
        let samples = try fields.integer("samples", 1...100_000) ?? 2000
        let applies = try fields.bool("apply") ?? false
        try fields.finish()
        let job = try await surveys.calibrate(name, falseMatchRate: rate, samples: samples, applies: applies)
        return try Answer.accepted(job)
    }

    private func identify(_ request: Request, in name: String) async throws -> Response {
        var body = try await bodies.batch(request, .passage)
        var passage = NewPassage(try Self.triples(&body))
        passage.about.camera = try body.options.string("camera")
        passage.about.capturedAt = try body.options.date("captured_at")
        passage.about.metadata = try body.options.metadata("metadata") ?? [:]
        passage.about.idempotencyKey = request.headers[.idempotencyKey]
        passage.filter = try body.options.filter("filter")
        passage.threshold = try body.options.number("threshold", -1...1).map { Float($0) }
        passage.margin = try body.options.number("margin", 0...2).map { Float($0) } ?? passage.margin
        passage.limit = try body.options.integer("limit", 1...100) ?? passage.limit
        passage.isStored = try !(body.options.bool("dry_run") ?? false)
        try body.options.finish()
        let answer = try await identification.identify(passage, in: name)
        let found = answer.identification
        metrics.queried(isUnknown: !found.isMatched)
        if !found.isReplay { for _ in found.sightings { metrics.enrolled() } }
        return try Answer.json(Reply(answer), status: found.sightings.isEmpty ? .ok : .created)
    }

    /// Each of images or of vectors.
    private static func triples(
        _ body: inout BatchBody
    ) throws -> [(images: [Modality: SentImage], vectors: GivenVectors?)] {
        if body.items.isEmpty { return [([:], try body.options.vectors())] }
        return try body.items.map { item in
            var fields = item.fields
            let vectors = try fields.vectors()
            try fields.finish()
            guard item.images.isEmpty || vectors == nil else {
                throw RequestError.invalid(
                    field: fields.name("vectors"), expected: "either images or vectors", found: "both")
            }
            return (item.images, vectors)
        }
    }
}
