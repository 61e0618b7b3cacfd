import Documents
import Foundation
import Inference
import Training

/// Runs side by side: those of the same recipe, data and beginning are one thing measured several times, once a seed.
public struct RunComparison: Sendable, Encodable {
    /// One run.
    public struct Member: Sendable, Encodable {
        /// The folder's name.
        public let run: String
        /// Of everything random.
        public let seed: UInt64?
        /// How far it has come.
        public let status: RunRecord.Status
        /// Nil for a run that nothing was measured of.
        public let metrics: RetrievalMetrics?
        let folder: URL

        private enum CodingKeys: String, CodingKey {
            case run, seed, status, metrics
        }
    }

    /// Runs that differ in their seeds alone.
    public struct Group: Sendable, Encodable {
        /// A letter.
        public let name: String
        /// What differs between the groups, as text.
        public let settings: [String]
        /// In the order given.
        public let members: [Member]
        /// Over the runs that were measured; nil for none.
        public let mAP: Spread?, rank1: Spread?, mINP: Spread?
        /// Of mAP, beside the reference; nil for the reference itself.
        public fileprivate(set) var difference: Difference?
    }

    /// What the figures are of.
    public let measured: String
    /// The paths whose values differ between the groups.
    public let differing: [String]
    /// The reference first.
    public private(set) var groups: [Group]
    /// What a reader has to know.
    public let notes: [String]

    /// Compares runs.
    ///
    /// - Parameters:
    ///   - runs: in the order in which they are shown.
    ///   - measured: what the figures are of, and each run's; nil for the best validation on held-out identities.
    ///   - bestFirst: whether groups are sorted by their mean mAP, so that the best is what others are beside of; otherwise that
    ///     is the first.
    public init(
        _ runs: [RunRecord], measured: (of: String, metrics: [RetrievalMetrics])? = nil, bestFirst: Bool = false
    ) {
        self.measured = measured?.of ?? "the best validation on held-out identities"
        let figures = measured.map { $0.metrics.map(Optional.some) } ?? runs.map { $0.best?.metrics }
        let settings = Self.settings(runs)
        differing = RecipeSettings.differing(settings)
        var parts: [(settings: RecipeSettings, members: [Member])] = []
        var repeated = false
        for ((run, metrics), own) in zip(zip(runs, figures), settings) {
            let member = Member(run: run.name, seed: run.seed, status: run.status, metrics: metrics, folder: run.folder)
            guard let place = parts.firstIndex(where: { $0.settings == own }) else {
                parts.append((own, [member]))
                continue
            }
            // The same seed again says nothing of the spread.
            if parts[place].members.contains(where: { $0.seed == run.seed }) {
                repeated = true
            } else {
                parts[place].members.append(member)
            }
        }
        groups = []
        if bestFirst { parts.sort { Self.mean($0.members) > Self.mean($1.members) } }
        for (index, part) in parts.enumerated() {
            groups.append(
                Group(
                    name: Self.letter(index),
                    settings: differing.map { RecipeSettings.text(part.settings.values[$0]) }, members: part.members,
                    mAP: Self.spread(part.members, \.mAP), rank1: Self.spread(part.members, \.rank1),
                    mINP: Self.spread(part.members, \.mINP)))
        }
        notes = Self.stageNotes(parts.map(\.settings)) + Self.notes(groups.count, isHeldOut: measured == nil, repeated)
        compare()
    }

    /// What each run was to do. Stages are told apart by their names unless all runs have the same.
    private static func settings(_ runs: [RunRecord]) -> [RecipeSettings] {
        let recipes = runs.map(values)
        let isByName = Set(recipes.map(RecipeSettings.stageNames)).count > 1
        return zip(runs, recipes).map { RecipeSettings($1, extra: surroundings($0), isByName: isByName) }
    }

    /// What is no part of a recipe.
    private static func surroundings(_ run: RunRecord) -> [String: JSONValue] {
        var extra: [String: JSONValue] = [:]
        if let description = run.description {
            extra["data"] = .string(
                "\(URL(fileURLWithPath: description.data).lastPathComponent) \(description.dataFingerprint.prefix(8))")
            extra["kind"] = .string(description.kind.rawValue)
            extra["initialized_from"] = description.initializedFrom.map { .string(String($0.prefix(12))) }
        }
        return extra
    }

    /// What the recipe says, its model's defaults too: one that is written is no other than one that is not. And what a pruning
    /// run was asked to take away.
    private static func values(_ run: RunRecord) -> JSONValue {
        var members = run.recipe.values.object ?? [:]
        // A recipe of another version is taken at its word.
        if let model = try? Recipe(yaml: run.recipe.yaml).model.recipeSection() {
            (members["model"], members["dropout"]) = (model, nil)
        }
        members["pruning"] = run.description?.pruning.flatMap { plan in
            try? JSONParser.parse(JSONEncoder.canonical.encode(plan))
        }
        return .object(members)
    }

    private static func mean(_ members: [Member]) -> Double { spread(members, \.mAP)?.mean ?? -1 }

    private static func spread(_ members: [Member], _ value: KeyPath<RetrievalMetrics, Double>) -> Spread? {
        let values = members.compactMap { $0.metrics?[keyPath: value] }
        return values.isEmpty ? nil : Spread(values)
    }

    private static func letter(_ index: Int) -> String {
        let letter = String(UnicodeScalar(UInt8(65 + index % 26)))
        return index < 26 ? letter : "\(letter)\(index / 26)"
    }

    private mutating func compare() {
        guard let reference = groups.first?.mAP else { return }
        for index in groups.indices.dropFirst() {
            groups[index].difference = groups[index].mAP.map { Difference($0, from: reference) }
        }
    }

    /// Which groups have a stage that others have not.
    private static func stageNotes(_ groups: [RecipeSettings]) -> [String] {
        var names: [String] = []
        for name in groups.flatMap(\.stages) where !names.contains(name) { names.append(name) }
        return names.compactMap { name in
            let those = groups.indices.filter { groups[$0].stages.contains(name) }
            if those.count == groups.count { return nil }
            return
                "Only \(those.map(letter).joined(separator: ", ")) \(those.count > 1 ? "have" : "has") the stage \(name)."
        }
    }

    private static func notes(_ groups: Int, isHeldOut: Bool, _ repeated: Bool) -> [String] {
        var notes = ["± is the standard deviation over seeds; intervals are Welch's, of 95 %."]
        if isHeldOut { notes.append("Each seed holds out other identities: that is part of its spread.") }
        if groups > 5 {
            notes.append("Of \(groups - 1) intervals of 95 %, one in twenty leaves out 0 by chance.")
        }
        if repeated { notes.append("Runs of the same recipe and seed count once.") }
        return notes
    }
}

extension RunComparison {
    /// Reads runs; a sweep's folder stands for its trials that have begun. Throws `ReportError.notARun` and what reading throws.
    public static func runs(at paths: [URL]) throws -> [RunRecord] {
        try paths.flatMap { path in try SweepFolder.trials(in: path) ?? [path] }.map { try RunRecord($0) }
    }

    /// Runs as they do on a data set's queries and gallery. Blocks: call it on a compute thread. Throws as `RunReport` does.
    public static func measure(
        _ runs: [RunRecord], on dataset: TriplesDataset, progress: (Int, Int) -> Void
    ) throws -> (of: String, metrics: [RetrievalMetrics]) {
        guard let task = try dataset.tasks().first else {
            throw ReportError.nothingToRank(dataset.root.path, "expected queries and a gallery, found none")
        }
        var metrics: [RetrievalMetrics] = []
        for run in runs {
            guard run.model != nil else { throw ReportError.noModel(run.folder.path) }
            let path = run.folder.appendingPathComponent("model.safetensors").path
            let encoder = try MultimodalEncoder(consuming: Checkpoint.load(path: path))
            metrics.append(try RetrievalStudy(task, encoder).metrics)
            progress(metrics.count, runs.count)
        }
        return ("\(task.name) of \(dataset.root.lastPathComponent)", metrics)
    }
}
