import Synchronization
import Tensor

/// Computes the embeddings of requests that come at the same time in one pass of the system: a matrix product with eight
/// triples' rows costs less than eight products.
final class Batcher: Sendable {
    /// The triples of a pass. More would hold up those that come meanwhile for little gain.
    static let most = 8

    /// What requests have in common that can be computed together.
    struct Kind: Equatable, Sendable {
        /// Those given.
        let modalities: [Modality]
        /// Those asked for.
        let subsets: [Set<Modality>]
    }

    private struct Request: Sendable {
        let images: [Modality: Tensor]
        let waiter: Waiter<[[Float]]>
    }

    private let system: any EncodingSystem
    private let compute: ComputeThread
    private let queue = Mutex(BatchQueue<Kind, Request>(most: Batcher.most))

    init(_ system: any EncodingSystem, compute: ComputeThread) {
        (self.system, self.compute) = (system, compute)
    }

    /// The unit vectors of a triple, one for each subset of its modalities.
    ///
    /// Throws `CancellationError` as soon as the task is cancelled; a request that is not being computed yet never is then.
    ///
    /// - Parameters:
    ///   - images: [1, H, W, 3] by modality.
    ///   - subsets: of its modalities.
    func embed(_ images: [Modality: Tensor], subsets: [Set<Modality>]) async throws -> [[Float]] {
        let kind = Kind(modalities: images.keys.sorted(), subsets: subsets)
        let waiter = Waiter<[[Float]]>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                queue.withLock { $0.add(Request(images: images, waiter: waiter), kind: kind) }
                // A turn for each request: one that finds its request computed already costs nothing, and other work on
                // the thread comes in between.
                compute.enqueue { self.takeTurn() }
            }
        } onCancel: {
            waiter.resume(with: .failure(CancellationError()))
        }
    }

    private func takeTurn() {
        guard let (kind, requests) = queue.withLock({ $0.next { $0.waiter.isWaiting } }) else { return }
        let images = Dictionary(
            uniqueKeysWithValues: kind.modalities.map { modality in
                (modality, Tensor.concatenated(requests.compactMap { $0.images[modality] }, axis: 0))
            })
        let vectors = system.embed(images, subsets: kind.subsets).map(Embedding.normalised)
        compute.deliver {
            for (row, request) in requests.enumerated() {
                request.waiter.resume(with: .success(vectors.map { $0[row] }))
            }
        }
    }
}
