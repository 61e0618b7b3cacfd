/// A stage with its lengths in steps.
struct StagePlan: Equatable {
    let steps: Int
    let schedule: Schedule

    /// - Parameters:
    ///   - stage: what is planned.
    ///   - ordinal: stages before it, through all rounds: what it draws depends on that, and so how long its epochs are.
    ///   - batches: what draws.
    init(_ stage: Recipe.Stage, _ ordinal: Int, _ batches: BatchMaker) {
        let ends = batches.epochEnds(stage.passes, stage: ordinal, textShare: stage.textShare)
        let count = { (length: TrainingLength) in
            switch length {
            case .steps(let count): count
            case .epochs(let count): ends[count - 1]
            }
        }
        steps = count(stage.length)
        schedule = stage.schedule.makeSchedule(count)
    }
}
