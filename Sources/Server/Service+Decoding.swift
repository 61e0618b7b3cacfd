import Foundation
import Imaging
import Inference
import NIOPosix
import Synchronization

extension Service {
    /// An image that cannot be decoded, and which one.
    struct UndecodableImage: Error {
        let modality: Modality
        let reason: ImagingError
    }

    /// Images at the model's size, decoded side by side; for a model in the background one after the other, so that the
    /// requests have a decoding thread meanwhile. Throws `UndecodableImage`, if several cannot be decoded for the first
    /// modality, or `CancellationError`.
    func decode(_ images: [Modality: Data], for encoder: any TripleEncoder) async throws -> [Modality: Image] {
        let files = images.sorted { $0.key < $1.key }
        guard encoder.isInBackground else { return try await sideBySide(files[...], for: encoder) }
        var result: [Modality: Image] = [:]
        for (modality, file) in files { result[modality] = try await decode(file, modality, for: encoder) }
        return result
    }

    private func sideBySide(
        _ files: ArraySlice<(key: Modality, value: Data)>, for encoder: any TripleEncoder
    ) async throws -> [Modality: Image] {
        guard let (modality, file) = files.first else { return [:] }
        // If this image cannot be decoded, the others are cancelled, and their errors are not seen.
        async let others = sideBySide(files.dropFirst(), for: encoder)
        let image = try await decode(file, modality, for: encoder)
        return try await others.merging([modality: image]) { $1 }
    }

    private func decode(_ file: Data, _ modality: Modality, for encoder: any TripleEncoder) async throws -> Image {
        let (decoder, target) = (decoder, scalesDecoding ? encoder.inputSize : nil)
        return try await onFileThread {
            do {
                // Resized at once: so only one large image a decoding thread is in memory, however many wait.
                return encoder.prepared(try decoder.decode(file, for: target))
            } catch let error as ImagingError {
                throw UndecodableImage(modality: modality, reason: error)
            }
        }
    }

    /// Work on files, off Swift's pool. If the task is cancelled, work that has not begun is never begun, and throws
    /// `CancellationError` at its turn: until then its body is in memory, so the request must count. Not the pool's own
    /// `runIfActive`, which remembers for ever the number of whatever is cancelled while it runs.
    func onFileThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let isCancelled = Atomic(false)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                decoding.submit { state in
                    guard case .active = state, !isCancelled.load(ordering: .relaxed) else {
                        return continuation.resume(throwing: CancellationError())
                    }
                    continuation.resume(with: Result { try work() })
                }
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
    }
}
