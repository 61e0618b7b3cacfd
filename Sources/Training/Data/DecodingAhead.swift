import Foundation
import Imaging
import Inference
import Synchronization

/// Decodes what will be wanted soon, on threads of its own, in the order in which it will be, and no more than a bound.
final class DecodingAhead: Sendable {
    typealias Images = [Modality: Image]

    /// One sighting's images, on their way.
    private final class Slot: Sendable {
        private let result = Mutex<Result<Images, any Error>?>(nil)
        private let isDone = DispatchSemaphore(value: 0)

        func fill(_ decoded: Result<Images, any Error>) {
            result.withLock { $0 = decoded }
            isDone.signal()
        }

        /// Waits for the images. More than one may ask.
        func get() throws -> Images {
            isDone.wait()
            defer { isDone.signal() }
            return try result.withLock { $0 }?.get() ?? [:]
        }
    }

    private struct Pending {
        let slot = Slot()
        /// Batches that want it and have not had it.
        var uses = 1
    }

    private let pending = Mutex<[Int: Pending]>([:])
    private let queue = OperationQueue()
    private let bound: Int

    /// - Parameters:
    ///   - bound: sightings on their way or not yet taken, at most.
    ///   - threads: that decode.
    init(bound: Int, threads: Int) {
        self.bound = bound
        queue.name = "decoding ahead"
        queue.maxConcurrentOperationCount = max(threads, 1)
    }

    deinit { queue.cancelAllOperations() }

    /// Begins to decode, as far as the bound allows. What is left out is decoded when it is wanted.
    func begin(_ indices: [Int], _ decode: @escaping @Sendable (Int) throws -> Images) {
        for index in indices {
            let slot: Slot? = pending.withLock { pending in
                guard pending[index] == nil else {
                    pending[index]?.uses += 1
                    return nil
                }
                guard pending.count < bound else { return nil }
                let new = Pending()
                pending[index] = new
                return new.slot
            }
            guard let slot else { continue }
            queue.addOperation { slot.fill(Result { try decode(index) }) }
        }
    }

    /// What was begun for an index, once it is there; nil if nothing was.
    func take(_ index: Int) throws -> Images? {
        let slot: Slot? = pending.withLock { pending in
            guard let own = pending[index] else { return nil }
            if own.uses == 1 { pending[index] = nil } else { pending[index]?.uses -= 1 }
            return own.slot
        }
        return try slot?.get()
    }

    /// Forgets what was begun. What is being decoded is so to its end.
    func forget() { pending.withLock { $0 = [:] } }

    /// Sightings on their way or not yet taken.
    var count: Int { pending.withLock { $0.count } }
}

/// A copy of the sampler that is some batches ahead of it, so that their images are decoded while the model computes. The
/// sampler itself, and so the batches, do not know of it.
struct BatchScout {
    /// Batches ahead.
    private static let depth = 2
    private var sampler: IdentitySampler
    private var lead = 0

    /// Before the sampler's first batch.
    init(_ sampler: IdentitySampler) { self.sampler = sampler }

    /// Goes on as far as the sampler's next batch lets it.
    ///
    /// - Parameter draw: all that is drawn from the sampler for a batch.
    mutating func advance(_ images: SightingImages, _ draw: (inout IdentitySampler) -> [Int]) {
        // What another scout announced may never be wanted.
        if lead == 0 { images.forgetAhead() }
        while lead <= Self.depth {
            images.decodeAhead(draw(&sampler))
            lead += 1
        }
        lead -= 1
    }
}
