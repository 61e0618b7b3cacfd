import Tensor

/// What a system is to an encoder: images in, embeddings out.
protocol EncodingSystem: Sendable {
    /// Elements of an embedding.
    var dimension: Int { get }

    /// Images [B, H, W, 3] by modality, the same B for each and at least one present → [B, dimension], before L2
    /// normalisation.
    func embed(_ images: [Modality: Tensor]) -> Tensor
}
