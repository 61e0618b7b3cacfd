import Synchronization
import Tensor
import Threads

/// Computes the embeddings of requests that come at the same time in one pass of the system.
///
/// Drives a `BatchQueue`: asks it what to do in turns on the compute thread. Whatever may change its answer adds a turn: a
/// request that came, one that will not come, a batch that is done, the end of a wait. One that finds nothing to do costs
/// nothing. So nothing blocks the thread: while a batch is held, other work runs on it. And nothing is forgotten: as long
/// as requests wait, a turn or the timer of a wait is to come.
final class Batcher: Sendable {
    /// What requests have in common that can be computed together.
    struct Kind: Hashable, Sendable {
        let modalities: Set<Modality>
        /// Whether a vector for each smaller set is wanted too.
        let withSets: Bool
    }

    /// What the system makes of one triple.
    struct Vectors: Sendable {
        let parts: [Modality: [Float]]
        let subsets: [Set<Modality>: [Float]]
    }

    private struct Request: Sendable {
        let images: [Modality: Tensor]
        let waiter: Waiter<Vectors>
    }

    private let system: any EncodingSystem
    private let compute: ComputeThread
    private let observe: @Sendable ([Duration]) -> Void
    private let queue: Mutex<BatchQueue<Kind, Request>>

    init(_ system: any EncodingSystem, compute: ComputeThread, _ batching: Batching = Batching()) {
        (self.system, self.compute, observe) = (system, compute, batching.observe)
        queue = Mutex(BatchQueue(most: batching.most, wait: batching.wait))
    }

    /// Requests that are not being computed yet.
    var waiting: Int { queue.withLock { $0.count } }

    /// Runs `work`, in which a request of this kind is made ready and embedded: others may wait for it until then.
    func expecting<Value>(_ kind: Kind, _ work: () async throws -> Value) async rethrows -> Value {
        queue.withLock { $0.begin(kind) }
        // However `work` ends. That its embedding was in the queue meanwhile the queue knows.
        defer { if queue.withLock({ $0.end(kind) }) { addTurn() } }
        return try await work()
    }

    /// A triple's vectors.
    ///
    /// Throws `CancellationError` as soon as the task is cancelled; a request that is not being computed yet never is then.
    ///
    /// - Parameters:
    ///   - images: [1, H, W, 3] by modality.
    ///   - withSets: whether those of smaller sets are wanted too, if they do not follow from these.
    func embed(_ images: [Modality: Tensor], withSets: Bool) async throws -> Vectors {
        let kind = Kind(modalities: Set(images.keys), withSets: withSets)
        let waiter = Waiter<Vectors>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                queue.withLock { $0.add(Request(images: images, waiter: waiter), kind: kind, at: .now) }
                addTurn()
            }
        } onCancel: {
            waiter.resume(with: .failure(CancellationError()))
        }
    }

    /// Behind other work on the thread, which so comes in between.
    private func addTurn() { compute.enqueue { self.takeTurn() } }

    private func takeTurn() {
        switch queue.withLock({ $0.next(at: .now) { $0.waiter.isWaiting } }) {
        case .compute(let batch):
            compute(batch)
            addTurn()
        case .wait(let until):
            Task {
                try? await Task.sleep(until: until, clock: .continuous)
                addTurn()
            }
        case .rest: break
        }
    }

    private func compute(_ batch: BatchQueue<Kind, Request>.Batch) {
        observe(batch.waits)
        let images = Dictionary(
            uniqueKeysWithValues: batch.kind.modalities.map { modality in
                (modality, Tensor.concatenated(batch.requests.compactMap { $0.images[modality] }, axis: 0))
            })
        let vectors =
            batch.kind.withSets ? system.encode(images) : SystemVectors(parts: system.vectors(images))
        let (parts, subsets) = (vectors.parts.mapValues(Embedding.rows), vectors.subsets.mapValues(Embedding.rows))
        compute.deliver {
            for (row, request) in batch.requests.enumerated() {
                request.waiter.resume(
                    with: .success(
                        Vectors(parts: parts.mapValues { $0[row] }, subsets: subsets.mapValues { $0[row] })))
            }
        }
    }
}

/// How triples that come at the same time are encoded together.
public struct Batching: Sendable {
    /// The triples of a pass, at least 1. More would hold up those that come meanwhile for little gain.
    public var most = 8
    /// The longest time that a pass which could begin waits for triples that are on their way.
    public var wait = Duration.zero
    /// Told of each pass before it begins how long each of its triples has waited. Called on the compute thread.
    public var observe: @Sendable (_ waits: [Duration]) -> Void = { _ in }

    /// The defaults.
    public init() {}
}
