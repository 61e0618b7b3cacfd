import Dispatch
import Foundation
import Imaging
import Inference
import Synchronization
import Tensor

/// The images of sightings at a model's size, decoded when first asked for, or a little before, and kept while they fit a
/// budget. Images of modalities that the model does not use are not opened.
public final class SightingImages: Sendable {
    /// The sightings, in the order of their indices.
    public let sightings: [TriplesDataset.Sighting]
    private let preprocessing: Preprocessing
    private let modalities: Set<Modality>
    private let reader = ImageFileReader()
    private let budget: Int
    private let ahead: DecodingAhead

    private struct Cache {
        var images: [Int: [Modality: Image]] = [:]
        var bytes = 0
    }

    private let cache = Mutex(Cache())
    private let waiting = Mutex(Duration.zero)

    /// Bytes of decoded images that are kept by default: a quarter of the memory, and 4 GiB at most.
    public static var defaultBudget: Int { min(4 << 30, Int(ProcessInfo.processInfo.physicalMemory / 4)) }
    /// Bytes of images that are decoded ahead, at most.
    private static let aheadBytes = 256 << 20

    /// - Parameters:
    ///   - sightings: whose images to read.
    ///   - preprocessing: the model's.
    ///   - modalities: the model's; others are not read.
    ///   - budget: bytes of decoded images to keep; others are decoded each time.
    ///   - threads: that decode ahead.
    public init(
        _ sightings: [TriplesDataset.Sighting], _ preprocessing: Preprocessing,
        modalities: [Modality] = Modality.allCases, budget: Int = SightingImages.defaultBudget,
        threads: Int = max(ProcessInfo.processInfo.activeProcessorCount - 1, 1)
    ) {
        self.sightings = sightings
        self.preprocessing = preprocessing
        self.modalities = Set(modalities)
        self.budget = budget
        let bytes = preprocessing.pixelBytes * max(modalities.count, 1)
        ahead = DecodingAhead(bound: max(Self.aheadBytes / bytes, 1), threads: threads)
    }

    /// The sightings for which a condition holds.
    func filtered(_ isIncluded: (TriplesDataset.Sighting) -> Bool) -> SightingImages {
        SightingImages(sightings.filter(isIncluded), preprocessing, modalities: Array(modalities), budget: budget)
    }

    /// Says which images will be wanted next, so that they are decoded meanwhile.
    public func decodeAhead(_ indices: [Int]) {
        let missing = cache.withLock { cache in indices.filter { cache.images[$0] == nil } }
        // In the order of their use, each once a batch.
        var seen: Set<Int> = []
        ahead.begin(missing.filter { seen.insert($0).inserted }) { [weak self] index in
            try self?.decoded(index) ?? [:]
        }
    }

    /// Says that what was to be wanted may not be.
    package func forgetAhead() { ahead.forget() }

    /// The images of some sightings, decoded on all cores; one that is asked for twice is decoded once. Throws
    /// `DatasetError` naming the file.
    public func images(at indices: [Int]) throws -> [[Modality: Image]] {
        let start = ContinuousClock.now
        defer { waiting.withLock { $0 += .now - start } }
        var collected: [Int: [Modality: Image]] = [:]
        var missing: [Int] = []
        for index in Set(indices).sorted() {
            if let kept = cache.withLock({ $0.images[index] }) {
                collected[index] = kept
                // It may have been begun before it was kept.
                _ = try ahead.take(index)
            } else if let begun = try ahead.take(index) {
                collected[index] = begun
            } else {
                missing.append(index)
            }
        }
        let wanted = missing
        let results = Mutex([Int: Result<[Modality: Image], any Error>]())
        DispatchQueue.concurrentPerform(iterations: wanted.count) { at in
            let result = Result { try decoded(wanted[at]) }
            results.withLock { $0[wanted[at]] = result }
        }
        for (index, result) in results.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            collected[index] = try result.get()
        }
        return indices.map { collected[$0] ?? [:] }
    }

    /// Some sightings as a model takes them: [B, H, W, 3] by modality, changed as `draws` say, one a sighting, or one an image,
    /// sighting by sighting. Each of `rows` has an image of its modality; one of which there is no row is left out. Throws
    /// `DatasetError` naming the file.
    func tensors(
        at indices: [Int], _ modalities: [Modality], _ draws: [Augmentation.Draw]?, _ rows: BatchRows
    ) throws -> [Modality: Tensor] {
        let loaded = try images(at: indices)
        let pairs = modalities.enumerated().compactMap { place, modality -> (Modality, Tensor)? in
            let fill = preprocessing.mean(modality)
            let rows = rows.rows(of: modality)
            guard !rows.isEmpty else { return nil }
            let own = draws.map { draws in
                rows.map { draws[draws.count == indices.count ? $0 : $0 * modalities.count + place] }
            }
            let images = rows.enumerated().compactMap { index, row -> Image? in
                guard let image = loaded[row][modality] else { return nil }
                return own.map { Augmentation.apply($0[index], to: image, fill: fill) } ?? image
            }
            let tensor = preprocessing.tensor(images, modality)
            return (modality, own.map { Augmentation.addNoise($0, to: tensor, modality) } ?? tensor)
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// How long those who asked for images had to wait for them.
    public var waited: Duration { waiting.withLock { $0 } }
    /// Bytes of decoded images that are kept.
    package var keptBytes: Int { cache.withLock(\.bytes) }
    /// Sightings that are decoded, or being decoded, before they are wanted.
    package var aheadCount: Int { ahead.count }

    private func decoded(_ index: Int) throws -> [Modality: Image] {
        if let kept = cache.withLock({ $0.images[index] }) { return kept }
        let images = try read(sightings[index].files.filter { modalities.contains($0.key) })
        let bytes = images.values.reduce(0) { $0 + $1.pixels.count }
        cache.withLock { cache in
            // Another call may have decoded it meanwhile.
            guard cache.images[index] == nil, cache.bytes + bytes <= budget else { return }
            cache.bytes += bytes
            cache.images[index] = images
        }
        return images
    }

    /// A file, and how its values are scaled.
    private struct Reading: Hashable {
        let url: URL
        let range: ClosedRange<UInt16>?
    }

    /// Reads each file once, however many modalities it shows in one range of values.
    private func read(_ files: [Modality: ImageFile]) throws(DatasetError) -> [Modality: Image] {
        var images: [Modality: Image] = [:]
        let readings = Dictionary(grouping: files) { modality, file in
            Reading(url: file.url, range: preprocessing.valueRange(modality))
        }
        for (reading, shown) in readings {
            let whole = try reader.whole(reading.url, scaling: reading.range)
            for (modality, file) in shown {
                images[modality] = preprocessing.resized(try ImageFileReader.cut(whole, file))
            }
        }
        return images
    }
}
