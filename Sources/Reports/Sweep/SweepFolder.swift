import Documents
import Foundation
import Training

/// The folder of a sweep: what it began with, and a run folder a trial.
struct SweepFolder: Sendable {
    /// What a sweep began with: it goes on with the same.
    struct Origin: Codable, Equatable, Sendable {
        /// YAML, settings included.
        var recipe: String
        var specification: String
        /// The data set's folder or list, its layout and trial.
        var data: String
        var layout: String
        var trial: Int
    }

    private static let originFile = "sweep-origin.json"
    private static let failureFile = "failure.json"

    let path: URL
    let origin: Origin

    /// Makes the folder. Throws as `RunFolder.make` does, and `ReportError.unwritable`.
    init(_ path: URL, _ origin: Origin) throws {
        try RunFolder.make(path)
        try RunFolder.make(path.appendingPathComponent("trials"))
        (self.path, self.origin) = (path, origin)
        try RunReport.write(JSONEncoder.prettyText(origin), to: path.appendingPathComponent(Self.originFile))
    }

    /// Opens a sweep's folder. Throws `ReportError.notARun`, or `DecodingError`.
    init(opening path: URL) throws {
        guard let bytes = try? Data(contentsOf: path.appendingPathComponent(Self.originFile)) else {
            throw ReportError.notARun(path.path, missing: Self.originFile)
        }
        self.path = path
        origin = try JSONDecoder().decode(Origin.self, from: bytes)
    }

    /// The run folders of a sweep's trials that have begun; nil for a folder that is no sweep's.
    static func trials(in path: URL) throws -> [URL]? {
        guard FileManager.default.fileExists(atPath: path.appendingPathComponent(originFile).path) else { return nil }
        let folder = try SweepFolder(opening: path)
        return try SweepSpecification(yaml: folder.origin.specification).trials.map { folder.run($0) }.filter {
            FileManager.default.fileExists(atPath: $0.appendingPathComponent("recipe.yaml").path)
        }
    }

    /// A trial's run folder.
    func run(_ trial: SweepSpecification.Trial) -> URL { path.appendingPathComponent("trials/\(trial.name)") }

    private struct Failure: Codable {
        let reason: String
    }

    /// Why a trial failed; nil if it did not.
    func failure(of trial: SweepSpecification.Trial) -> String? {
        let file = run(trial).appendingPathComponent(Self.failureFile)
        return (try? Data(contentsOf: file)).map { bytes in
            (try? JSONDecoder().decode(Failure.self, from: bytes))?.reason ?? "for a reason that cannot be read"
        }
    }

    /// Notes that a trial failed. Throws `ReportError.unwritable`.
    func fail(_ trial: SweepSpecification.Trial, _ reason: String) throws {
        let folder = run(trial)
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try RunReport.write(
            JSONEncoder.prettyText(Failure(reason: reason)), to: folder.appendingPathComponent(Self.failureFile))
    }

    /// Removes what a trial left, so that it begins anew. Throws `ReportError.unwritable`.
    func clear(_ trial: SweepSpecification.Trial) throws {
        let folder = run(trial)
        guard FileManager.default.fileExists(atPath: folder.path) else { return }
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            throw ReportError.unwritable(folder.path, error.localizedDescription)
        }
    }
}
