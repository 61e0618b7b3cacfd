import Imaging

/// What a server needs of a loaded model. All arithmetic happens on dedicated threads: callers only wait.
public protocol TripleEncoder: Sendable {
    /// The SHA-256 digest of the checkpoint's file, in hexadecimal: the model's name.
    var model: String { get }
    /// The modalities that the model was built for.
    var modalities: [Modality] { get }
    /// Elements of an embedding.
    var dimension: Int { get }
    /// How the vectors of several modalities make one.
    var combination: Combination { get }

    /// The size that the model takes: what is decoded may be little more.
    var inputSize: Image.Size { get }

    /// The 16-bit values of a modality that became 0 and 255 where the model was trained; nil if it does not say.
    func valueRange(_ modality: Modality) -> ClosedRange<UInt16>?

    /// An image at the size that the model takes: smaller to hold until its turn. Costs a resizing; call it where that
    /// holds nobody up.
    func prepared(_ image: Image) -> Image

    /// Encodes a triple of which at least one image is present. Throws `EncoderError`.
    func embed(_ images: [Modality: Image]) async throws -> Embedding

    /// Runs `work`, in which a triple is decoded and then embedded: as long as it runs, other triples may wait a moment to
    /// be encoded together with it. Throws what `work` throws.
    func expecting<Value>(_ modalities: Set<Modality>, _ work: () async throws -> Value) async rethrows -> Value

    /// The same model, for work that nobody waits for: it leaves the cores to `self` and to other models.
    var inBackground: any TripleEncoder { get }
    /// Whether an embedding has a vector for each set of its modalities, since they give each other something.
    var interacts: Bool { get }
    /// The same model, whose embeddings have a vector a modality at most: cheaper, for what is compared as a whole.
    var wholeOnly: any TripleEncoder { get }
    /// Whether nobody waits for what it encodes.
    var isInBackground: Bool { get }
    /// Triples of requests that wait to be encoded.
    var waiting: Int { get }

    /// Encodes a text: a unit vector in the space of the images. Throws `EncoderError.noText` unless the model reads texts,
    /// `.unknownWords` if it knows none of its words.
    func embed(text: String) async throws -> [Float]
}

extension TripleEncoder {
    /// For models that have no way of their own.
    public var inBackground: any TripleEncoder { self }

    /// Not said.
    public func valueRange(_ modality: Modality) -> ClosedRange<UInt16>? { nil }

    /// None.
    public var waiting: Int { 0 }

    /// No.
    public var interacts: Bool { false }

    /// For models that do not interact.
    public var wholeOnly: any TripleEncoder { self }

    /// For models that encode each triple alone.
    public func expecting<Value>(
        _ modalities: Set<Modality>, _ work: () async throws -> Value
    ) async rethrows -> Value { try await work() }

    /// For models that have no way of their own.
    public var isInBackground: Bool { false }

    /// For models that read images only.
    public func embed(text: String) async throws -> [Float] { throw EncoderError.noText }
}
