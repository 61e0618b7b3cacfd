import Foundation
import Inference

/// How a data set lies on disk as its authors publish it, and how its benchmark ranks.
public protocol DatasetLayout: Sendable {
    /// As `--layout` says it.
    var name: String { get }
    /// What a folder of that layout holds.
    var signature: String { get }
    /// What a complete sighting has.
    var modalities: [Modality] { get }
    /// Whether the modalities of a sighting were recorded together. Otherwise each image stands alone.
    var isPaired: Bool { get }
    /// Whether an identity's name means the same in all splits.
    var namesAreShared: Bool { get }
    /// What is not ranked for a query.
    var rule: RetrievalProtocol { get }

    /// Whether a folder holds what the signature says.
    func isLaidOut(in root: URL) -> Bool
    /// Finds a split's images by names and lists. Throws `DatasetError` for a list that cannot be read.
    func list(_ split: TriplesDataset.Split, in root: URL) throws(DatasetError) -> SplitListing
    /// Finds what is set apart for validation, part of the train split or beside it; nil if the layout has no such thing. Throws
    /// `DatasetError` for a list that cannot be read.
    func listValidation(in root: URL) throws(DatasetError) -> SplitListing?
    /// What the benchmark measures. Throws `DatasetError`.
    func tasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask]
    /// Queries and galleries of which MixER's protocols rank the single images. Throws `DatasetError`.
    func mixedTasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask]
}

extension DatasetLayout {
    /// RGB, NIR and TIR.
    public var modalities: [Modality] { Modality.allCases }
    /// Recorded together.
    public var isPaired: Bool { true }
    /// The same in all splits.
    public var namesAreShared: Bool { true }
    /// The field's common rule.
    public var rule: RetrievalProtocol { .standard }
    /// No such thing.
    public func listValidation(in root: URL) throws(DatasetError) -> SplitListing? { nil }

    /// The query split against the gallery split.
    public func tasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask] {
        [
            RetrievalTask(
                name: "query to gallery", queries: try dataset.sightings(.query),
                galleries: [try dataset.sightings(.gallery)], rule: rule)
        ]
    }

    /// What the benchmark measures, whose galleries have all modalities.
    public func mixedTasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask] {
        try tasks(of: dataset)
    }
}

/// The layouts that are known.
public enum DatasetLayouts {
    /// All of them, RegDB's with one of its trials.
    static func all(trial: Int = 1) -> [any DatasetLayout] {
        [
            TriplesLayout(), RGBNT201Layout(), StripLayout.rgbnt100, StripLayout.rgbn300, MSVR310Layout(),
            WMVeID863Layout(), Market1501Layout(), MarketMultiModalLayout(), SYSUMM01Layout(),
            RegDBLayout(trial: trial),
            LLCMLayout(), ManifestLayout(),
        ]
    }

    /// Their names.
    public static var names: [String] { all().map(\.name) }

    /// The names of those that may have a split for validation.
    static let withValidation = [TriplesLayout().name, SYSUMM01Layout().name, ManifestLayout().name]

    /// The layout of a name, or the one that a folder has. Throws `DatasetError` if there is none, or more than one.
    static func find(_ name: String?, in root: URL, trial: Int) throws(DatasetError) -> any DatasetLayout {
        let all = all(trial: trial)
        let candidates = name.map { name in all.filter { $0.name == name } } ?? all
        if let name, candidates.isEmpty { throw .unknownLayout(name, names) }
        let fitting = candidates.filter { $0.isLaidOut(in: root) }
        guard let layout = fitting.first else {
            throw .unrecognised(root.path, candidates.map { "\($0.name): \($0.signature)" })
        }
        guard fitting.count == 1 else { throw .ambiguous(root.path, fitting.map(\.name)) }
        guard trial == 1 || (layout is RegDBLayout && 1...10 ~= trial) else {
            throw .noSuchTrial(trial, layout: layout.name)
        }
        return layout
    }
}
