import Inference

/// What is measured of some tasks.
public struct EvaluationPlan: Sendable {
    /// Which sets of modalities have a row of their own.
    public enum Rows: Sendable {
        /// All modalities together.
        case together
        /// These, and each modality alone where queries and gallery both have it.
        case each
    }

    /// How galleries are ranked.
    public var method = RankingMethod()
    /// Which sets are ranked.
    public var rows = Rows.each
    /// Whether every set is measured against every other.
    public var comparesSets = false
    /// Whether the cameras are measured one against the other.
    public var comparesCameras = false
    /// How open-set identification is measured; nil for not at all.
    public var openSet: OpenSetPlan?

    /// All modalities and each alone, by the cosine.
    public init() {}
}

/// What was measured: a result for each task and set of modalities, and what else the plan asks for.
public struct Evaluation: Sendable, Encodable {
    /// By set of modalities, then by task.
    public private(set) var results: [RetrievalResult] = []
    /// A table a task, if asked for.
    public private(set) var modalityTables: [ModalityTable]?
    /// A table a task, of all modalities together, if asked for.
    public private(set) var cameraTables: [CameraTable]?
    /// One a task, of all modalities together, if asked for.
    public private(set) var openSets: [OpenSetResult]?

    /// Results as they are.
    public init(results: [RetrievalResult]) { self.results = results }

    /// Measures tasks whose sides are given. Throws `EvaluationError`.
    public init(_ tasks: [EncodedTask], _ plan: EvaluationPlan) throws(EvaluationError) {
        for task in tasks { try add(task, plan) }
    }

    /// Measures the tasks of a data set. Blocks: call it on a compute thread. Throws `EvaluationError`.
    ///
    /// - Parameter progress: told of the table of sets how many cells are done, of how many.
    public init(
        _ tasks: EncodedTasks, _ plan: EvaluationPlan, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(EvaluationError) {
        let all = Set(tasks.encoded.modalities)
        for task in tasks.tasks { try add(try tasks.task(task, all, all), plan) }
        if plan.rows == .each, all.count > 1, !tasks.tasks.contains(where: \.isCrossModal) {
            for modality in all.sorted() {
                for task in tasks.tasks where task.has(modality) {
                    let made = try tasks.task(task, [modality], [modality])
                    // Where there is nothing else, that was the first.
                    if results.contains(where: { $0.task == task.name && $0.ranked == made.modalities }) { continue }
                    results.append(made.result(plan.method))
                }
            }
        }
        guard plan.comparesSets else { return }
        modalityTables = []
        for task in tasks.tasks {
            modalityTables?.append(try ModalityTable(tasks, task, plan.method, progress: progress))
        }
    }

    /// Adds a result.
    public mutating func add(_ result: RetrievalResult) { results.append(result) }

    /// Adds how tasks go with their galleries in random order.
    public mutating func addRandom(_ tasks: [RetrievalTask]) {
        results += tasks.map { RetrievalResult.random($0) }
    }

    private mutating func add(_ task: EncodedTask, _ plan: EvaluationPlan) throws(EvaluationError) {
        guard task.isComparable else {
            let label = task.modalities
            throw .nothingShared(
                task: task.name, queries: label.queries.map(\.modalities).joined(separator: ", "),
                gallery: label.gallery.map(\.modalities).joined(separator: ", "))
        }
        var outcomes: [[QueryOutcome?]] = []
        var cameras: [CameraTally] = []
        var openSet: OpenSetTally?
        for trial in task.galleries.indices {
            let gallery = task.gallery(trial)
            var own = [QueryOutcome?](repeating: nil, count: task.queries.items.count)
            var tally = plan.comparesCameras ? CameraTally(task.queries.items, gallery) : nil
            if trial == 0 { openSet = plan.openSet.map { OpenSetTally($0, task.queries.items, gallery) } }
            task.visit(trial: trial, plan.method) { query, distances in
                own[query] = gallery.outcome(of: task.queries.items[query], distances)
                tally?.add(query, distances)
                if trial == 0 { openSet?.add(query, distances) }
            }
            outcomes.append(own)
            if let tally { cameras.append(tally) }
        }
        results.append(RetrievalResult(task, outcomes))
        if plan.comparesCameras { cameraTables = (cameraTables ?? []) + [CameraTable(task, cameras)] }
        if let openSet, let plan = plan.openSet {
            openSets = (openSets ?? []) + [try OpenSetResult(task, openSet, plan)]
        }
    }
}

extension RetrievalTask {
    /// Whether queries and every gallery have images of a modality.
    fileprivate func has(_ modality: Modality) -> Bool {
        ([queries] + galleries).allSatisfy { $0.contains { $0.files[modality] != nil } }
    }
}
