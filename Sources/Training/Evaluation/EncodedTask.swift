import Inference

/// A task as models see it: queries, and a gallery a trial.
public struct EncodedTask: Sendable {
    /// As results are headed.
    public let name: String
    /// What is searched with.
    public let queries: EncodedItems
    /// What is ranked, in each trial.
    public let galleries: [EncodedItems]
    /// What is not ranked for a query.
    public let rule: RetrievalProtocol
    /// Whether the CMC is over identities, each at its best item.
    public let isDeduplicated: Bool
    /// What is ranked, in a few words, where its modalities do not say it.
    private let title: String?

    /// A task as given.
    ///
    /// - Parameter title: what is ranked, in a few words, where its modalities do not say it.
    public init(
        name: String, queries: EncodedItems, galleries: [EncodedItems], rule: RetrievalProtocol = .standard,
        isDeduplicated: Bool = false, title: String? = nil
    ) {
        (self.name, self.queries, self.galleries) = (name, queries, galleries)
        (self.rule, self.isDeduplicated, self.title) = (rule, isDeduplicated, title)
    }

    /// What is ranked, in a few words.
    public var label: String { title ?? modalities.label }

    /// What is ranked.
    public var modalities: RankedModalities { RankedModalities(queries, galleries) }

    /// Whether anything can be compared.
    public var isComparable: Bool { galleries.contains(where: queries.isComparable) }

    /// A trial's gallery.
    public func gallery(_ trial: Int) -> RankedGallery {
        RankedGallery(galleries[trial].items, protocol: rule, isDeduplicated: isDeduplicated)
    }

    /// How each query goes, by trial. O(trials · queries · gallery · D).
    public func outcomes(_ method: RankingMethod = .init()) -> [[QueryOutcome?]] {
        galleries.indices.map { trial in
            gallery(trial).outcomes(of: queries.items, method.distances(queries, galleries[trial]))
        }
    }

    /// How it goes.
    public func result(_ method: RankingMethod = .init()) -> RetrievalResult {
        RetrievalResult(self, outcomes(method))
    }

    /// Calls `body` for each query of a trial with its distances, in any order: for what looks at pairs.
    public func visit(
        trial: Int = 0, _ method: RankingMethod = .init(), _ body: (_ query: Int, _ distances: [Double]) -> Void
    ) {
        method.distances(queries, galleries[trial]).visit(body)
    }
}

/// The tasks of a data set as models see them, each sighting encoded once.
public struct EncodedTasks: Sendable {
    /// What is measured.
    public let tasks: [RetrievalTask]
    /// Every sighting.
    public let encoded: EncodedSightings
    private let images: TaskImages

    /// - Parameters:
    ///   - images: all that the tasks look at.
    ///   - encoded: the same sightings in the same order, as any models see them.
    public init(_ images: TaskImages, _ encoded: EncodedSightings) {
        (tasks, self.images, self.encoded) = (images.tasks, images, encoded)
    }

    /// A task with some modalities on each side.
    ///
    /// - Parameter isWhole: whether sightings that lack one of them are left out, rather than ranked by those that they have.
    public func task(
        _ task: RetrievalTask, _ queries: Set<Modality>, _ gallery: Set<Modality>, isWhole: Bool = false
    ) throws(EvaluationError) -> EncodedTask {
        let made = EncodedTask(
            name: task.name, queries: encoded.items(images.indices(of: task.queries), queries, isWhole: isWhole),
            galleries: task.galleries.map { encoded.items(images.indices(of: $0), gallery, isWhole: isWhole) },
            rule: task.rule, isDeduplicated: task.isDeduplicated)
        if made.queries.items.isEmpty { throw .nothingToRank("queries", task, queries, task.queries) }
        if made.galleries.contains(where: \.items.isEmpty) {
            throw .nothingToRank("a gallery", task, gallery, task.galleries.flatMap { $0 })
        }
        return made
    }

    /// A task in which each image of a query, alone, is ranked against a gallery in which each image stands alone, whatever its
    /// modality (MixER). The images are a modality after the other.
    public func singles(_ task: RetrievalTask, rule: RetrievalProtocol) throws(EvaluationError) -> EncodedTask {
        let items = { (sightings: [TriplesDataset.Sighting]) in
            let indices = images.indices(of: sightings)
            return encoded.modalities.map { modality in
                encoded.items(indices, [modality]) {
                    .init(
                        identity: $0.identity, camera: $0.camera, scene: $0.scene, modality: modality, name: $0.name)
                }.withoutLeftOut
            }.reduce(EncodedItems.none) { $0.appending($1) }
        }
        let made = EncodedTask(
            name: task.name, queries: items(task.queries), galleries: task.galleries.map(items), rule: rule,
            title: "single images, \(rule.rawValue)")
        let all = Set(encoded.modalities)
        if made.queries.items.isEmpty { throw .nothingToRank("queries", task, all, task.queries) }
        if made.galleries.contains(where: \.items.isEmpty) {
            throw .nothingToRank("a gallery", task, all, task.galleries.flatMap { $0 })
        }
        return made
    }
}

extension EvaluationError {
    fileprivate static func nothingToRank(
        _ side: String, _ task: RetrievalTask, _ expected: Set<Modality>, _ sightings: [TriplesDataset.Sighting]
    ) -> EvaluationError {
        let example = sightings.first
        return .nothingToRank(
            side: side, task: task.name, expected: expected.sorted().map(\.rawValue),
            file: example?.files.min { $0.key < $1.key }?.value.url.path ?? "nothing",
            found: example?.files.keys.sorted().map(\.rawValue) ?? [])
    }
}
