import Dispatch
import Foundation
import Imaging
import Inference
import Synchronization
import Tensor

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

    /// The images of some sightings, decoded on all cores; one that is asked for twice is decoded once. Throws
    /// `DatasetError` naming the file.
    public func images(at indices: [Int]) throws -> [[Modality: Image]] {
        let wanted = Array(Set(indices))
        let results = Mutex([Int: Result<[Modality: Image], any Error>]())
        DispatchQueue.concurrentPerform(iterations: wanted.count) { at in
            let result = Result { try images(at: wanted[at]) }
            results.withLock { $0[wanted[at]] = result }
        }
        let collected = results.withLock { $0 }
        return try indices.map { try collected[$0]?.get() ?? [:] }
    }

    /// Some sightings as a model takes them: [B, H, W, 3] by modality, changed as `draws` say, one a sighting, or one an image,
    /// sighting by sighting. Each has an image of each of the modalities. Throws `DatasetError` naming the file.
    func tensors(
        at indices: [Int], _ modalities: [Modality], _ draws: [Augmentation.Draw]?
    ) throws -> [Modality: Tensor] {
        let loaded = try images(at: indices)
        let pairs = modalities.enumerated().map { place, modality in
            let fill = preprocessing.mean(modality)
            let own = draws.map { draws in
                indices.indices.map { draws[draws.count == indices.count ? $0 : $0 * modalities.count + place] }
            }
            let images = loaded.enumerated().compactMap { row, images -> Image? in
                guard let image = images[modality] else { return nil }
                return own.map { Augmentation.apply($0[row], to: image, fill: fill) } ?? image
            }
            let tensor = preprocessing.tensor(images, modality)
            return (modality, own.map { Augmentation.addNoise($0, to: tensor, modality) } ?? tensor)
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// Bytes of decoded images that are kept.
    package var keptBytes: Int { cache.withLock(\.bytes) }

    private func images(at index: Int) throws -> [Modality: Image] {
        if let kept = cache.withLock({ $0.images[index] }) { return kept }
        let images = try sightings[index].files.mapValues(read)
        let bytes = images.values.reduce(0) { $0 + $1.pixels.count }
        cache.withLock { cache in
            // Another call may have decoded it meanwhile.
            guard cache.images[index] == nil, cache.bytes + bytes <= budget else { return }
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
