import Dispatch
import Foundation
import Imaging
import Inference
import Synchronization

/// The images of sightings at a model's size, decoded when first asked for and kept while they fit a budget.
public final class SightingImages: Sendable {
    /// The sightings, in the order of their indices.
    public let sightings: [TriplesDataset.Sighting]
    private let preprocessing: Preprocessing
    private let decoder = ImageDecoder()
    private let budget: Int

    private struct Cache {
        var images: [Int: [Modality: Image]] = [:]
        var bytes = 0
    }

    private let cache = Mutex(Cache())

    /// - Parameters:
    ///   - sightings: whose images to read.
    ///   - preprocessing: the model's.
    ///   - budget: bytes of decoded images to keep; others are decoded each time.
    public init(_ sightings: [TriplesDataset.Sighting], _ preprocessing: Preprocessing, budget: Int = 4 << 30) {
        self.sightings = sightings
        self.preprocessing = preprocessing
        self.budget = budget
    }

    /// The sightings for which a condition holds.
    func filtered(_ isIncluded: (TriplesDataset.Sighting) -> Bool) -> SightingImages {
        SightingImages(sightings.filter(isIncluded), preprocessing, budget: budget)
    }

    /// The images of some sightings, decoded on all cores. Throws `DatasetError` naming the file.
    public func images(at indices: [Int]) throws -> [[Modality: Image]] {
        let results = Mutex([Int: Result<[Modality: Image], any Error>]())
        DispatchQueue.concurrentPerform(iterations: indices.count) { at in
            let result = Result { try images(at: indices[at]) }
            results.withLock { $0[at] = result }
        }
        let collected = results.withLock { $0 }
        return try indices.indices.map { try collected[$0]?.get() ?? [:] }
    }

    private func images(at index: Int) throws -> [Modality: Image] {
        if let kept = cache.withLock({ $0.images[index] }) { return kept }
        let images = try sightings[index].files.mapValues(read)
        let bytes = images.values.reduce(0) { $0 + $1.pixels.count }
        cache.withLock { cache in
            guard cache.bytes + bytes <= budget else { return }
            cache.bytes += bytes
            cache.images[index] = images
        }
        return images
    }

    private func read(_ url: URL) throws -> Image {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: url)
        } catch {
            throw DatasetError.unreadableFile(url.path, error.localizedDescription)
        }
        do {
            return preprocessing.resized(try decoder.decode(bytes))
        } catch {
            throw DatasetError.unreadableImage(url.path, error)
        }
    }
}
