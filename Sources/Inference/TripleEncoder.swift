import Imaging

/// What a server needs of a loaded model. All arithmetic happens on dedicated threads: callers only wait.
public protocol TripleEncoder: Sendable {
    /// The SHA-256 digest of the checkpoint's file, in hexadecimal: the model's name.
    var model: String { get }
    /// The modalities that the model was built for.
    var modalities: [Modality] { get }
    /// Elements of an embedding.
    var dimension: Int { get }

    /// An image at the size that the model takes: smaller to hold until its turn. Costs a resizing; call it where that
    /// holds nobody up.
    func prepared(_ image: Image) -> Image

    /// Encodes a triple of which at least one image is present. Throws `EncoderError`.
    func embed(_ images: [Modality: Image]) async throws -> Embedding
}
