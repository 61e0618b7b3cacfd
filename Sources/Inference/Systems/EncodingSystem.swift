import Tensor

/// What a system is to an encoder: images in, embeddings out.
protocol EncodingSystem: Sendable {
    /// Elements of an embedding.
    var dimension: Int { get }

    /// Images [B, H, W, 3] by modality, the same B for each and at least one present → [B, dimension], before L2
    /// normalisation.
    func embed(_ images: [Modality: Tensor]) -> Tensor

    /// The embeddings of some sets of the modalities given, none of them empty, in the order of `sets`.
    func embed(_ images: [Modality: Tensor], subsets: [Set<Modality>]) -> [Tensor]
}

extension EncodingSystem {
    func embed(_ images: [Modality: Tensor], subsets: [Set<Modality>]) -> [Tensor] {
        subsets.map { subset in embed(images.filter { subset.contains($0.key) }) }
    }
}
