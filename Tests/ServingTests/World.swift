import Foundation
import Gallery
import Imaging
import Inference
import Logging
import Serving
import ServingFixtures
import Testing

/// A gallery, models and all that serves, in a folder of its own; no socket.
struct World {
    let folder: URL
    let stack: ServingStack

    static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    /// Puts it together, hands it to `body`, and removes it.
    static func run(
        _ configure: (inout ServingConfiguration) -> Void = { _ in }, encoder: any TripleEncoder = BrightnessEncoder(),
        _ body: (World) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("serving-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = ServingConfiguration()
        configuration.modelsFolder = folder.appendingPathComponent("models").path
        configuration.swap.share = 1
        configure(&configuration)
        let gallery = try await GalleryStore.open(path: folder.appendingPathComponent("gallery.sqlite").path)
        let stack = try await ServingStack.around(encoder, gallery: gallery, configuration, logger: logger)
        let world = World(folder: folder, stack: stack)
        do {
            try await body(world)
        } catch {
            await stack.jobs.stop()
            try? await gallery.close()
            throw error
        }
        await stack.jobs.stop()
        try await gallery.close()
    }

    var models: URL { folder.appendingPathComponent("models") }

    /// Takes a model in as if it had been uploaded, and gives its name.
    func publish(_ data: Data) async throws -> String {
        let upload = stack.models.upload()
        try await upload.append(data)
        return try await stack.models.take(upload).model.summary.model
    }

    func publish(seed: UInt64) async throws -> String { try await publish(TinyModel.file(seed: seed).data) }

    /// Enrols a triple of an identity in the gallery g, which is made if it is not there.
    @discardableResult
    func enrol(_ identity: String, seed: Int, key: String? = nil) async throws -> EnrolmentReceipt {
        if (try? await stack.gallery.requireGallery("g")) == nil { _ = try await stack.gallery.createGallery("g") }
        var sighting = NewSighting(
            identity: identity,
            images: [
                .rgb: SentImage(try picture(seed)), .nir: SentImage(try picture(seed + 100)),
                .tir: SentImage(try picture(seed + 200)),
            ])
        sighting.idempotencyKey = key
        return try await stack.enrolment.enrol(sighting, in: "g")
    }

    /// Activates a model and waits for the end.
    @discardableResult
    func activate(_ model: String) async throws -> JobStatus {
        let status = try await stack.models.activate(model, isDry: false, allowsFewerModalities: false)
        return try await ended(status.record.id)
    }

    /// A job once it has ended.
    func ended(_ id: String) async throws -> JobStatus {
        while true {
            let status = try await stack.jobs.job(id)
            if status.hasEnded { return status }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
