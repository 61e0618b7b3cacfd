import Documents
import Gallery

extension SurveyService {
    /// Measures how well the sightings of a gallery find each other under the active model. The job's result says where it is read.
    /// Throws `GalleryError.notFound` for the gallery, `ModelError.tooManyJobs`, or `ServingError.outOfStep`.
    package func evaluate(_ gallery: String, samples: Int, seed: UInt64) async throws -> JobStatus {
        try await self.gallery.requireGallery(gallery)
        let model = try await models.current().model
        return try await start(.evaluation, gallery) { [store = self.gallery] handle in
            let found = try await store.evaluate(in: gallery, model: model, samples: samples, seed: seed) {
                try Task.checkCancellation()
                await handle.report($0, of: $1)
            }
            return [
                "model": .string(model), "samples": .integer(found.samples),
                "mean_average_precision": .number(found.all.meanAveragePrecision), "rank1": .number(found.all.rank1),
            ]
        }
    }

    /// Makes a map of a gallery's embeddings by the active model. Throws as above, or `GalleryError.invalid`.
    package func map(_ gallery: String, _ options: MapOptions) async throws -> JobStatus {
        try await self.gallery.requireGallery(gallery)
        let model = try await models.current().model
        return try await start(.mapping, gallery) { [store = self.gallery] handle in
            let map = try await store.map(in: gallery, model: model, options) {
                try Task.checkCancellation()
                await handle.report($0, of: $1)
            }
            var result: [String: JSONValue] = ["model": .string(model), "samples": .integer(map.samples)]
            result["trustworthiness"] = map.trustworthiness.map(JSONValue.number)
            return result
        }
    }
}
