import Imaging
import Inference

/// Why a triple or a text was not encoded, beyond what the encoder itself says.
package enum ServingError: Error, Equatable, CustomStringConvertible {
    /// No image at all.
    case noImage
    /// An image that cannot be decoded, and which one.
    case undecodable(Modality, ImagingError)
    /// Triples that have no modality in common, for a model whose modalities cannot be compared with each other.
    case nothingShared([Modality], [Modality])
    /// The process has no memory for more sightings.
    case galleryMemory(limit: Int, inUse: Int)
    /// This server does not have the model that others answer with, or are about to.
    case outOfStep(reason: String)
    /// It took too long.
    case deadline(seconds: Int)

    package var description: String {
        switch self {
        case .noImage: "no image: expected at least one of rgb, nir, tir"
        case .undecodable(let modality, let reason): "\(modality.rawValue): \(reason)"
        case .nothingShared(let first, let second):
            "expected a modality that both triples have, as the model cannot compare different ones, found "
                + [first, second].map { $0.map(\.rawValue).joined(separator: ", ") }.joined(separator: " and ")
        case .galleryMemory(let limit, let inUse):
            "no memory for more sightings: \(inUse) bytes are in use of \(limit); erase what is not needed, raise memory_bytes, or "
                + "give the server more memory"
        case .outOfStep(let reason): "this server is out of step with the others: \(reason)"
        case .deadline(let seconds): "the request was not done within \(seconds) s"
        }
    }
}

/// Bounds how long something may take.
package enum Deadline {
    /// Runs `work`; once the time is over, cancels it and throws `error`, by default `ServingError.deadline`.
    package static func run<Value: Sendable>(
        seconds: Int, or error: (any Error)? = nil, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else {
                throw error ?? ServingError.deadline(seconds: seconds)
            }
            return value
        }
    }
}
