import Dispatch
import Documents
import Foundation
import Imaging
import Synchronization

/// Renders a whole data set into a directory.
///
/// As triples: `<output>/<train|query|gallery>/<rgb|nir|tir>/<identity>_c<camera>_<sighting>.jpg`, with 4, 1 and 3 digits, and
/// `<output>/dataset.json`; and what people would say of the vehicles, `<output>/<train|query>/text/<identity>.txt`, a
/// caption a line. Everything is written to a hidden directory beside the output, which is renamed at the
/// end: the output is either complete or not there.
public struct DatasetWriter: Sendable {
    /// What is written.
    public let parameters: SynthesisParameters
    /// Quality of the JPEG pictures.
    public static let jpegQuality = 92

    private let arrangement: DatasetArrangement
    private let threads: Int

    /// A writer of one data set.
    ///
    /// - Parameters:
    ///   - parameters: what to write.
    ///   - arrangement: where.
    ///   - threads: how many render at the same time, at least 1; has no influence on the result.
    public init(_ parameters: SynthesisParameters, as arrangement: DatasetArrangement = .triples, threads: Int = 2) {
        self.parameters = parameters
        self.arrangement = arrangement
        self.threads = max(1, threads)
    }

    /// Writes the data set, blocking the calling thread until it is complete.
    ///
    /// - Parameters:
    ///   - output: a directory that does not exist yet, or is empty; the one above it must exist.
    ///   - progress: told, by one thread at a time, how many triples are done, and of how many.
    ///   - isCancelled: asked before each triple; once true, what was written is removed.
    /// - Returns: what `dataset.json` holds.
    /// - Throws: `SynthesisError` if the output is refused, a file cannot be written, or the job was cancelled.
    @discardableResult
    public func write(
        to output: URL, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in },
        isCancelled: @Sendable () -> Bool = { false }
    ) throws(SynthesisError) -> DatasetManifest {
        let target = output.standardizedFileURL.resolvingSymlinksInPath()
        try Self.refuseUnlessVacant(target)
        let partial = target.deletingLastPathComponent()
            .appendingPathComponent(".\(target.lastPathComponent).\(UUID().uuidString).partial")
        do throws(SynthesisError) {
            try createDirectories(partial)
            try writeCaptions(into: partial)
            try renderAll(into: partial, progress, isCancelled)
            let manifest = try writeManifest(into: partial)
            try Self.rename(partial, to: target)
            return manifest
        } catch {
            try? FileManager.default.removeItem(at: partial)
            throw error
        }
    }

    private static func refuseUnlessVacant(_ directory: URL) throws(SynthesisError) {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory.path, isDirectory: &isDirectory) else { return }
        guard isDirectory.boolValue else { throw .outputNotADirectory(path: directory.path) }
        let contents = try attempt(directory) { try FileManager.default.contentsOfDirectory(atPath: directory.path) }
        guard contents.isEmpty else { throw .outputNotEmpty(path: directory.path) }
    }

    private func createDirectories(_ root: URL) throws(SynthesisError) {
        // Not with the directories above it: a mistyped path should be refused rather than created.
        let parent = root.deletingLastPathComponent()
        try Self.attempt(parent) {
            try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false)
        }
        for split in DatasetSplit.allCases {
            for folder in arrangement.folders(split) {
                let directory = root.appendingPathComponent(folder)
                try Self.attempt(directory) {
                    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
                }
            }
        }
    }

    private func writeCaptions(into root: URL) throws(SynthesisError) {
        guard arrangement.hasCaptions else { return }
        for number in 1...parameters.identities {
            let split: DatasetSplit = number <= parameters.trainIdentities ? .train : .query
            let file = root.appendingPathComponent(split.rawValue + String(format: "/text/%04d.txt", number))
            let captions = VehicleIdentity(number: number, seed: parameters.seed).captions
            try Self.attempt(file) { try Data((captions.joined(separator: "\n") + "\n").utf8).write(to: file) }
        }
    }

    private func renderAll(
        into root: URL, _ progress: @Sendable (Int, Int) -> Void, _ isCancelled: @Sendable () -> Bool
    ) throws(SynthesisError) {
        let plan = DatasetPlan(parameters)
        let next = Atomic(0)
        let state = Mutex<(done: Int, failure: SynthesisError?)>((0, nil))
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            while state.withLock({ $0.failure == nil }) {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < plan.count else { return }
                do throws(SynthesisError) {
                    guard !isCancelled() else { throw .cancelled }
                    try render(plan[index], into: root)
                    state.withLock { state in
                        state.done += 1
                        progress(state.done, plan.count)
                    }
                } catch {
                    state.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func render(_ entry: DatasetPlan.Entry, into root: URL) throws(SynthesisError) {
        let triple = SceneRenderer(parameters).render(
            identity: VehicleIdentity(number: entry.identity, seed: parameters.seed),
            camera: CameraProfile(number: entry.camera, seed: parameters.seed), sighting: entry.sighting)
        for (path, image) in arrangement.pictures(entry, [triple.rgb, triple.nir, triple.tir]) {
            let file = root.appendingPathComponent(path)
            // Full colour resolution: at these sizes, halved colour planes would blur stripes and lamps away.
            try Self.attempt(file) {
                try JPEGEncoder.encode(image, quality: Self.jpegQuality, subsampled: false).write(to: file)
            }
        }
    }

    private func writeManifest(into root: URL) throws(SynthesisError) -> DatasetManifest {
        let manifest = DatasetManifest(parameters, arrangement, jpegQuality: Self.jpegQuality)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let file = root.appendingPathComponent("dataset.json")
        try Self.attempt(file) { try (encoder.encode(manifest) + Data("\n".utf8)).write(to: file) }
        return manifest
    }

    /// rename(2) replaces an empty directory in one step, and refuses one that has been filled in the meantime.
    private static func rename(_ source: URL, to target: URL) throws(SynthesisError) {
        // Thousands of files at once: what has the data set's name is all of it, also after a power cut.
        sync()
        guard Foundation.rename(source.path, target.path) == 0 else {
            throw .writing(path: target.path, reason: String(cString: strerror(errno)))
        }
        do {
            try DurableFile.syncFolder(of: target.path)
        } catch {
            throw .writing(path: target.path, reason: error.description)
        }
    }

    /// Whatever Foundation or the codec reports, with the path that it concerns.
    @discardableResult
    private static func attempt<Result>(_ url: URL, _ body: () throws -> Result) throws(SynthesisError) -> Result {
        do {
            return try body()
        } catch {
            let reason = (error as? ImagingError)?.description ?? error.localizedDescription
            throw .writing(path: url.path, reason: reason)
        }
    }
}
