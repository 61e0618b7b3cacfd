import Dispatch
import Documents
import Foundation
import Imaging
import Inference
import Synchronization

/// The multi-modal version of an RGB data set, in the layout of the multi-modal Market-1501 (Wang et al., AAAI 2022): NI is the
/// grey image, RGB is darkened by 60 %, TI a mapping in place of the authors' CycleGAN.
public struct DerivedDataset: Sendable {
    private let source: TriplesDataset
    private static let quality = 95

    /// Of a data set whose sightings have an RGB image; others are left out.
    public init(_ source: TriplesDataset) { self.source = source }

    private struct Job: Sendable {
        let file: ImageFile
        /// Of the three images, below the modalities' folders.
        let split: String
        let name: String
    }

    /// Writes the data set, blocking the calling thread. Everything goes to a hidden folder beside the output, which is renamed at the
    /// end.
    ///
    /// - Parameters:
    ///   - output: a folder that does not exist or is empty.
    ///   - progress: told, by one thread at a time, how many triples are done, and of how many.
    ///   - isCancelled: asked before each; once true, what was written is removed.
    /// - Returns: how many triples there are.
    /// - Throws: `DatasetError`, also if it was cancelled.
    @discardableResult
    public func write(
        to output: URL, progress: @Sendable (Int, Int) -> Void = { _, _ in },
        isCancelled: @Sendable () -> Bool = { false }
    ) throws(DatasetError) -> Int {
        let target = output.standardizedFileURL
        guard Folder.names(in: target).isEmpty else {
            throw .unwritable(output.path, "expected a new or empty folder, found files")
        }
        let jobs = try jobs()
        let partial = target.deletingLastPathComponent()
            .appendingPathComponent(".\(target.lastPathComponent).\(UUID().uuidString).partial")
        do throws(DatasetError) {
            try makeFolders(partial)
            try deriveAll(jobs, into: partial, progress, isCancelled)
            guard rename(partial.path, target.path) == 0 else {
                throw .unwritable(target.path, String(cString: strerror(errno)))
            }
        } catch {
            try? FileManager.default.removeItem(at: partial)
            throw error
        }
        return jobs.count
    }

    private func jobs() throws(DatasetError) -> [Job] {
        var jobs: [Job] = []
        for split in TriplesDataset.Split.allCases {
            guard try source.has(split) else { continue }
            for (index, sighting) in try source.sightings(split).enumerated() {
                guard let file = sighting.files[.rgb] else { continue }
                jobs.append(Job(file: file, split: split.rawValue, name: try name(sighting, index)))
            }
        }
        guard !jobs.isEmpty else { throw .empty(source.root.path, "RGB images") }
        return jobs
    }

    /// The sighting's own name where it says identity and camera as the layout reads them.
    private func name(_ sighting: TriplesDataset.Sighting, _ index: Int) throws(DatasetError) -> String {
        let fits = { (name: String) in
            guard let read = Market1501Layout.pattern.passage(name), !name.contains("/") else { return false }
            return read.identity == sighting.identity && read.camera == sighting.camera
        }
        if fits(sighting.name) { return sighting.name }
        let name = "\(sighting.identity)_c\(sighting.camera)_\(index)"
        guard fits(name) else {
            throw .unwritable(name, "expected an identity of letters, digits and -, found '\(sighting.identity)'")
        }
        return name
    }

    private func makeFolders(_ root: URL) throws(DatasetError) {
        do {
            // Not with the folders above it: a mistyped path should be refused rather than created.
            try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false)
            for split in TriplesDataset.Split.allCases {
                for (_, folder) in ModalityFolders.upper {
                    try FileManager.default.createDirectory(
                        at: root.appendingPathComponent("\(split.rawValue)/\(folder)"),
                        withIntermediateDirectories: true)
                }
            }
        } catch {
            throw .unwritable(root.path, error.localizedDescription)
        }
    }

    private func deriveAll(
        _ jobs: [Job], into root: URL, _ progress: @Sendable (Int, Int) -> Void,
        _ isCancelled: @Sendable () -> Bool
    ) throws(DatasetError) {
        let state = Mutex<(done: Int, failure: DatasetError?)>((0, nil))
        DispatchQueue.concurrentPerform(iterations: jobs.count) { index in
            guard state.withLock({ $0.failure == nil }) else { return }
            do throws(DatasetError) {
                guard !isCancelled() else { throw .unwritable(root.path, "cancelled; nothing was written") }
                try derive(jobs[index], into: root)
                state.withLock { state in
                    state.done += 1
                    progress(state.done, jobs.count)
                }
            } catch {
                state.withLock { $0.failure = $0.failure ?? error }
            }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func derive(_ job: Job, into root: URL) throws(DatasetError) {
        let image = try job.file.image()
        for (modality, folder) in ModalityFolders.upper {
            let file = root.appendingPathComponent("\(job.split)/\(folder)/\(job.name).jpg")
            do {
                let derived = Self.derived(image, modality)
                try JPEGEncoder.encode(derived, quality: Self.quality, subsampled: false).write(to: file)
            } catch {
                throw .unwritable(file.path, "\(error)")
            }
        }
    }

    /// What a modality of the derived data set shows. O(pixels).
    ///
    /// - Parameter image: RGB.
    package static func derived(_ image: Image, _ modality: Modality) -> Image {
        switch modality {
        case .rgb: image.mapped { ($0 * 2 + 2) / 5 }
        case .nir: image.grey { (299 * $0 + 587 * $1 + 114 * $2 + 500) / 1000 }.replicatedToRGB()
        case .tir: image.grey { red, _, blue in (3 * red + 2 * (255 - blue) + 2) / 5 }.blurred().replicatedToRGB()
        }
    }
}

extension Image {
    /// Each value changed alike.
    fileprivate func mapped(_ change: (Int) -> Int) -> Image {
        Image(width: width, height: height, channels: channels, pixels: pixels.map { UInt8(change(Int($0))) })
    }

    /// One channel out of three.
    fileprivate func grey(_ mix: (Int, Int, Int) -> Int) -> Image {
        let values = stride(from: 0, to: pixels.count, by: 3).map { at in
            UInt8(mix(Int(pixels[at]), Int(pixels[at + 1]), Int(pixels[at + 2])))
        }
        return Image(width: width, height: height, channels: 1, pixels: values)
    }

    /// The mean of 5 × 5 pixels of one channel, the edge repeated: heat has no fine texture.
    fileprivate func blurred() -> Image {
        let along = averaged(step: 1, count: width)
        return along.averaged(step: width, count: height)
    }

    private func averaged(step: Int, count: Int) -> Image {
        var result = self
        for index in pixels.indices {
            let place = index / step % count
            let sum = (-2...2).reduce(0) { sum, offset in
                sum + Int(pixels[index + (min(max(place + offset, 0), count - 1) - place) * step])
            }
            result.pixels[index] = UInt8((sum + 2) / 5)
        }
        return result
    }
}
