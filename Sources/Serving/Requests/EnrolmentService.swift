import Crypto
import Documents
import Foundation
import Gallery
import Inference
import Threads

/// A triple to be enrolled.
package struct NewSighting: Sendable {
    package var identity: String
    /// For the identity, used only if it is new.
    package var identityLabel: String?
    package var camera: String?
    package var capturedAt: Date?
    package var metadata: Metadata = [:]
    /// What it is seen in.
    package var images: [Modality: SentImage]
    /// What a model made of them, in place of files.
    package var vectors: GivenVectors?
    /// The client's key for a request that it may repeat.
    package var idempotencyKey: String?

    package init(identity: String, images: [Modality: SentImage] = [:], vectors: GivenVectors? = nil) {
        (self.identity, self.images, self.vectors) = (identity, images, vectors)
    }

    /// Without images and vectors. With a key, what it says is hashed on `files`.
    func enrolment(_ files: WorkerThreads) async throws -> Enrolment {
        var enrolment = Enrolment(
            identity: identity, identityLabel: identityLabel, camera: camera, capturedAt: capturedAt, metadata: metadata
        )
        if let key = idempotencyKey {
            enrolment.idempotency = Idempotency(key: key, fingerprint: try await files.run { fingerprint })
        }
        return enrolment
    }

    /// Of what it says, however it was sent: equal for equal contents alone.
    var fingerprint: String {
        var hash = SHA256()
        func add(_ name: String, _ bytes: Data) {
            hash.update(data: Data("\0\(name)\0\(bytes.count)\0".utf8))
            hash.update(data: bytes)
        }
        add("identity", Data(identity.utf8))
        for (modality, image) in images.sorted(by: { $0.key < $1.key }) {
            add(modality.rawValue, image.file)
            if let box = image.box { add("box.\(modality.rawValue)", Data("\(box.numbers)".utf8)) }
        }
        if let vectors { add("vectors", Data(vectors.canonical.utf8)) }
        if let identityLabel { add("label", Data(identityLabel.utf8)) }
        if let camera { add("camera", Data(camera.utf8)) }
        if let capturedAt {
            add("captured_at", Data("\(Int64((capturedAt.timeIntervalSince1970 * 1000).rounded()))".utf8))
        }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { add("metadata.\(key)", Data("\(value)".utf8)) }
        return hash.finalize().hexadecimal
    }
}

/// Enrols triples: recognises repetitions, then decodes and encodes, so that nothing of a refused one is stored, and
/// answers after the commit.
package struct EnrolmentService: Sendable {
    let models: AnsweringModels
    let gallery: GalleryStore
    let encoding: EncodingService
    let keepsImages: Bool
    let memory: MemoryBudget
    /// For hashing large bodies, away from the cooperative pool.
    let files: WorkerThreads

    /// Throws `GalleryError`, `ServingError`, `EncoderError` or `CancellationError`.
    package func enrol(_ sighting: NewSighting, in gallery: String) async throws -> EnrolmentReceipt {
        var enrolment = try await sighting.enrolment(files)
        // What is refused or known already costs no encoding.
        if let earlier = try await self.gallery.enrolled(before: enrolment, in: gallery, acknowledging: true) {
            return earlier
        }
        try memory.requireRoomToEnrol()
        let images = sighting.images
        if let vectors = sighting.vectors {
            return try await models.enrolling { [enrolment] encoders in
                var enrolment = enrolment
                enrolment.give(vectors, encoders[0])
                return try await self.gallery.enrol(enrolment, in: gallery)
            }
        }
        if keepsImages { enrolment.images = images.kept }
        return try await models.enrolling { [enrolment] encoders in
            var enrolment = enrolment
            enrolment.activeModel = encoders[0].model
            enrolment.embeddings = try await encoding.encode(images, for: encoders)
            return try await self.gallery.enrol(enrolment, in: gallery)
        }
    }
}
