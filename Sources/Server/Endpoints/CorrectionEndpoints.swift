import Documents
import Foundation
import Gallery
import Hummingbird
import Serving

/// POST `…/identities/{identity}/rename`, `…/merge`, `…/split` and `…/distinguish`, GET `…/distinctions`, POST `…/sightings/{sighting}/move`; GET
/// `…/corrections`, POST `…/corrections/{correction}/undo`; GET `…/identities/{identity}/similar`, POST `…/groupings`.
struct CorrectionEndpoints {
    let gallery: GalleryStore
    let models: AnsweringModels
    let surveys: SurveyService
    let bodies: BodyReader

    private struct Reply: Encodable {
        let correction: Correction
        /// Where it is undone.
        let undo: String
    }

    private struct Distinctions: Encodable {
        let items: [Distinction]
    }

    private struct Similar: Encodable {
        let model: String
        let items: [SimilarIdentity]
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/galleries/{gallery}/identities/{identity}/rename") { request, context in
            try await correct(request, context) { fields, gallery, identity in
                let name = try fields.require("identity", .string)
                return { try await self.gallery.renameIdentity(identity, to: name, in: gallery) }
            }
        }
        router.post("/v1/galleries/{gallery}/identities/{identity}/merge") { request, context in
            try await correct(request, context) { fields, gallery, identity in
                let others = try fields.require("identities", .list(of: "names of identities", .string))
                return { try await self.gallery.mergeIdentities(others, into: identity, in: gallery) }
            }
        }
        router.post("/v1/galleries/{gallery}/identities/{identity}/distinguish") { request, context in
            try await correct(request, context) { fields, gallery, identity in
                let others = try fields.require("identities", .list(of: "names of identities", .string))
                return { try await self.gallery.distinguishIdentity(identity, from: others, in: gallery) }
            }
        }
        router.post("/v1/galleries/{gallery}/identities/{identity}/split") { request, context in
            try await correct(request, context) { fields, gallery, identity in
                let sightings = try fields.require("sightings", .list(of: "identifiers of sightings", .string))
                let name = try fields.require("identity", .string)
                return {
                    try await self.gallery.splitIdentity(identity, sightings: sightings, into: name, in: gallery)
                }
            }
        }
        router.post("/v1/galleries/{gallery}/identities/{identity}/sightings/{sighting}/move") { request, context in
            let sighting = try context.parameter("sighting")
            return try await correct(request, context) { fields, gallery, identity in
                let name = try fields.require("identity", .string)
                return {
                    guard try await self.gallery.sighting(sighting, in: gallery).identity == identity else {
                        throw GalleryError.notFound(.sighting, sighting)
                    }
                    return try await self.gallery.moveSighting(sighting, to: name, in: gallery)
                }
            }
        }
        addCorrections(to: router)
    }

    private func addCorrections(to router: Router<ServerContext>) {
        router.get("/v1/galleries/{gallery}/identities/{identity}/distinctions") { _, context in
            try Answer.json(
                Distinctions(
                    items: await gallery.distinctions(
                        of: context.parameter("identity"), in: context.parameter("gallery"))))
        }
        router.get("/v1/galleries/{gallery}/corrections") { request, context in
            try Answer.json(await gallery.corrections(in: context.parameter("gallery"), request.directedPage()))
        }
        router.post("/v1/galleries/{gallery}/corrections/{correction}/undo") { _, context in
            try Answer.json(
                await gallery.undoCorrection(context.parameter("correction"), in: context.parameter("gallery")))
        }
        router.post("/v1/galleries/{gallery}/groupings") { request, context in
            var fields = try await bodies.fields(request)
            let threshold = try fields.require("threshold", .number(-1...1))
            try fields.finish()
            return try Answer.accepted(
                await surveys.group(context.parameter("gallery"), threshold: Float(threshold)))
        }
        router.get("/v1/galleries/{gallery}/identities/{identity}/similar") { request, context in
            let model = try await models.current().model
            let found = try await gallery.identities(
                similarTo: context.parameter("identity"), in: context.parameter("gallery"), model: model,
                limit: request.integer("limit", 1...1000, default: 10))
            return try Answer.json(Similar(model: model, items: found))
        }
    }

    private typealias Work = () async throws -> Correction

    private func correct(
        _ request: Request, _ context: ServerContext,
        _ read: (inout Fields, _ gallery: String, _ identity: String) throws -> Work
    ) async throws -> Response {
        var fields = try await bodies.fields(request)
        let name = try context.parameter("gallery")
        let work = try read(&fields, name, context.parameter("identity"))
        try fields.finish()
        let correction = try await work()
        return try Answer.json(
            Reply(
                correction: correction,
                undo: "/v1/galleries/\(name.pathEncoded)/corrections/\(correction.id.pathEncoded)/undo"))
    }
}
