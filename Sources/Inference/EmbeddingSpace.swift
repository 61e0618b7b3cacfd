import Documents

/// How far a pruned or quantised model's embeddings are from its parent's, as `embedding_space` under `pruning` or
/// `quantization` in its configuration says.
public struct EmbeddingSpace: Sendable, Codable, Equatable {
    /// The parent's digest.
    public var parent: String
    /// Of the cosines between the parent's and the child's embedding of the same sighting.
    public var meanCosine: Double
    /// The least of them; like the rest, nil where the model does not say.
    public var minimumCosine: Double?
    /// What was encoded by both: `query`, or `held-out`.
    public var split: String?
    /// How many sightings.
    public var sightings: Int?
    /// The share of sightings whose best match is of the same identity in the child's space as in the parent's.
    public var top1Agreement: Double?
    /// How the child's queries do against the gallery as the parent embeds it: whether the parent's vectors may stay is decided
    /// by this, and never by a cosine, which is near 1 between different identities too where a space is narrow.
    public var cross: CrossRetrieval?

    private enum CodingKeys: String, CodingKey {
        case parent, split, sightings, cross
        case meanCosine = "mean_cosine"
        case minimumCosine = "minimum_cosine"
        case top1Agreement = "top1_agreement"
    }

    /// A comparison without a sighting.
    public init(parent: String, meanCosine: Double) { (self.parent, self.meanCosine) = (parent, meanCosine) }

    /// What a configuration's `pruning`, or `quantization`, says; nil if it says nothing of the kind.
    public init?(pruning: JSONValue?) {
        let space = pruning?["embedding_space"]
        guard let parent = space?["parent"]?.string ?? pruning?["parent"]?.string,
            let cosine = space?["mean_cosine"]?.number
        else { return nil }
        self.init(parent: parent, meanCosine: cosine)
        minimumCosine = space?["minimum_cosine"]?.number
        split = space?["split"]?.string
        sightings = space?["sightings"]?.integer
        top1Agreement = space?["top1_agreement"]?.number
        cross = CrossRetrieval(space?["cross"])
    }
}
