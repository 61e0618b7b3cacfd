import Documents

/// What a model is: everything needed, beside its weights, to build it.
///
/// It travels as JSON under the key `triptych` of a checkpoint's metadata. Reading validates, so a configuration read so
/// can be built; one made or changed in code is checked with ``validate()``. Fields that this program does not know are
/// ignored, but for those inside ``training``, ``pruning`` and ``quantization``, which are kept.
public struct ModelConfiguration: Sendable, Equatable {
    /// The versions of the document's form that this program reads. It writes the first that can say what is to be said: the
    /// second has `backbone.activation`, `pre_norm`, `norm_epsilon` and `projection`, `input.value_range` and `neck_feature`, which a
    /// reader of the first would ignore and so encode otherwise.
    public static let formats = 1...2

    /// The system and what is particular to it.
    public var system: System
    /// The modalities that the model was built for, in its order of concatenation.
    public var modalities: [Modality]
    /// The backbone, of every modality.
    public var backbone: Backbone
    /// Backbones a modality, each with weights of its own, of the late-fusion systems (UniCat, Table 4); 1 elsewhere.
    public var networks = 1
    /// On which side of the BNNeck embeddings are taken.
    public var neckFeature = NeckFeature.before
    /// The images that the model takes.
    public var input: Input
    /// The number of classes of the classifiers, if the model has been given them.
    public var identities: Int?
    /// Where the weights come from, as its writer put it.
    public var training: JSONValue?
    /// What pruning has removed, an object as its writer put it.
    public var pruning: JSONValue?
    /// What has become narrow, an object as its writer put it.
    public var quantization: JSONValue?

    /// A side of the BNNeck, the batch norm before a classifier (Luo et al., 2019).
    public enum NeckFeature: String, CaseIterable, Encodable, Sendable {
        /// The features that the triplet loss sees: the papers' choice.
        case before
        /// What the classifier sees, by the neck's running statistics.
        case after
    }

    /// A configuration as given; not validated.
    public init(
        system: System, modalities: [Modality] = Modality.allCases, backbone: Backbone, input: Input,
        identities: Int? = nil, training: JSONValue? = nil, pruning: JSONValue? = nil, quantization: JSONValue? = nil
    ) {
        self.system = system
        self.modalities = modalities
        self.backbone = backbone
        self.input = input
        self.identities = identities
        self.training = training
        self.pruning = pruning
        self.quantization = quantization
    }
}
