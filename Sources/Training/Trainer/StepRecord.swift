import Inference

/// One line of `steps.jsonl`: what a replay of the step needs, and what came out.
public struct StepRecord: Sendable, Codable, Equatable {
    /// From 0, through all stages.
    public var step: Int
    /// The stage's name.
    public var stage: String
    /// Passes over the images that were over in the stage before the step.
    public var epoch: Int?
    /// The sightings of the batch, by file name without extension.
    public var files: [String]
    /// The modalities that the batch has, if it has lost some.
    public var modalities: [Modality]?
    /// What each triple has, if each has lost its own.
    public var sets: [[Modality]]?
    /// The captions, if the batch is of texts; then there are no sightings.
    public var texts: [String]?
    /// Their identities, as the classifier counts them.
    public var identities: [Int]
    /// [anchor, positive, negative] as indices into the batch.
    public var triples: [[Int]]
    /// What was drawn for each triple of the batch, or for each image of each triple, in the model's order; absent without
    /// augmentation.
    public var augmentation: [Augmentation.Draw]?
    /// The state of dropout's generator before the step, from which all its masks follow; absent without dropout.
    public var dropout: UInt64?
    /// The same of drop path's; absent without it.
    public var dropPath: UInt64?
    /// The unweighted terms: `triplet`, `center`, `cross_entropy`.
    public var terms: [String: Float]
    /// The weighted sum.
    public var loss: Float
    /// After the schedule.
    public var learningRate: Float

    /// How many images the batch has, of all modalities together.
    ///
    /// - Parameter modalities: those of a whole triple.
    public func images(modalities count: Int) -> Int {
        sets?.reduce(0) { $0 + $1.count } ?? files.count * (modalities?.count ?? count)
    }

    private enum CodingKeys: String, CodingKey {
        case step, stage, epoch, files, modalities, sets, texts, identities, triples, augmentation, dropout, terms, loss
        case learningRate = "learning_rate"
        case dropPath = "drop_path"
    }
}
