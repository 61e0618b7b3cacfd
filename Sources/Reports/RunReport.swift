import Charts
import Documents
import Foundation
import Inference
import Training

/// All that a run has to show: what it was, how it went, how its model ranks, and where it looks. Written as one page of HTML that
/// asks nothing of the network, and as JSON beside it.
public struct RunReport: Sendable {
    /// What is ranked.
    public enum Split: String, Sendable, CaseIterable {
        /// The identities of the train split that the run held out.
        case heldOut = "held-out"
        /// The data set's own queries and gallery.
        case query
    }

    /// What happens, for whoever shows it.
    public enum Event: Sendable {
        /// So many of so many sightings are encoded.
        case encoding(Int, Int)
        case drawing
    }

    /// What rankings, maps and pictures need.
    struct Shown: Sendable {
        let split: Split
        let study: RetrievalStudy
        let map: EmbeddingMap?
        let pages: Pages
    }

    /// Pieces of the page that have pictures.
    struct Pages: Sendable {
        let ranked: [Markup]
        let explanation: (title: String, content: [Markup])?
        /// The modalities' order on pictures, in words.
        let order: String
    }

    /// The files' names in the run folder.
    public static let page = "report.html", data = "report.json"

    let run: RunRecord
    let curves: TrainingCurves
    let digest: String?
    /// Nil where there are no images, and why.
    let shown: Shown?
    let missing: String?

    /// Looks at a run, and has its model rank. Blocks: call it on a compute thread.
    ///
    /// Throws `ReportError`, `DocumentError`, `DecodingError`, `CheckpointError`, `DatasetError`, `EvaluationError`, `TrainingError` for a data set
    /// that is not the run's, `WeightsError` or `EncoderError`.
    /// - Parameters:
    ///   - folder: the run's.
    ///   - dataset: where its images are; nil for a report without.
    ///   - split: what is ranked.
    ///   - reason: why there is no data set.
    public init(
        _ folder: URL, dataset: TriplesDataset?, split: Split = .heldOut, reason: String? = nil,
        report: (Event) -> Void = { _ in }
    ) throws {
        run = try RunRecord(folder)
        curves = try TrainingCurves(run: folder)
        digest = try run.digest()
        guard let dataset, run.model != nil else {
            shown = nil
            missing = run.model == nil ? "There is no model yet." : reason
            return
        }
        (shown, missing) = try Self.look(run, dataset, split, report)
    }

    private static func look(
        _ run: RunRecord, _ dataset: TriplesDataset, _ split: Split, _ report: (Event) -> Void
    ) throws -> (Shown?, String?) {
        let checkpoint = try Checkpoint.load(path: run.folder.appendingPathComponent("model.safetensors").path)
        let held = try HeldOut(run, checkpoint.configuration, dataset)
        let task = try split == .query ? dataset.tasks().first : held.task
        guard let task, !task.queries.isEmpty else {
            return (nil, "There is nothing to rank: the recipe holds no identities out.")
        }
        let encoder = try MultimodalEncoder(
            configuration: checkpoint.configuration, weights: checkpoint.weights, model: checkpoint.digest)
        let study = try RetrievalStudy(task, encoder) { report(.encoding($0, $1)) }
        report(.drawing)
        let gallery = RankedPictures(study, encoder.modalities)
        let pages = Pages(
            ranked: try gallery.markup(),
            explanation: try ExplanationPictures(checkpoint, study, held.identities, gallery.pictures).section(),
            order: gallery.pictures.order)
        return (
            Shown(
                split: split, study: study, map: EmbeddingMap(study.sightings, study.encoded), pages: pages), nil
        )
    }

    /// Writes both files into the run folder, each whole or not at all, and says where the page is. Throws
    /// `ReportError.unwritable`.
    @discardableResult
    public func write() throws -> URL {
        let page = run.folder.appendingPathComponent(Self.page)
        try Self.write(html.description, to: page)
        try Self.write(try json(), to: run.folder.appendingPathComponent(Self.data))
        return page
    }

    static func write(_ text: String, to file: URL) throws(ReportError) {
        do {
            try DurableFile.write(text.utf8, to: file.path)
        } catch {
            throw .unwritable(file.path, error.description)
        }
    }
}

/// What a run has held out, found again.
struct HeldOut {
    /// What validation ranks; nil if nothing was held out.
    let task: RetrievalTask?
    /// That were trained, in the classifier's order.
    let identities: [String]

    /// Throws `TrainingError.differs` if the data set is not the run's, and what reading it throws.
    init(_ run: RunRecord, _ configuration: ModelConfiguration, _ dataset: TriplesDataset) throws {
        var recipe = try Recipe(yaml: run.recipe.yaml, path: "recipe.yaml")
        recipe.model = configuration
        if let description = run.description {
            let found = try DataManifest(dataset, recipe).fingerprint
            guard found == description.dataFingerprint else {
                throw TrainingError.differs(
                    "data", expected: "the fingerprint \(description.dataFingerprint)", found: found)
            }
        }
        let data = try TrainingData(dataset, recipe, seed: run.seed ?? 1)
        identities = data.identities
        task =
            data.held.sightings.isEmpty
            ? nil
            : RetrievalTask(
                name: "held-out identities", queries: data.heldQueries.sightings, galleries: [data.held.sightings],
                rule: data.rule)
    }
}
