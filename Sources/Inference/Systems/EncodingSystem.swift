import Tensor

/// What a system is to an encoder and to a trainer: images in, embeddings or what the losses need out.
public protocol EncodingSystem: Sendable {
    /// Elements of an embedding.
    var dimension: Int { get }

    /// How the vectors of several modalities make one.
    var combination: Combination { get }
    /// In the order of their blocks.
    var modalities: [Modality] { get }

    /// Whether modalities give each other something, so that the vectors of fewer of them do not follow from those of all.
    var interacts: Bool { get }

    /// A vector a modality, before L2 normalisation: [B, dimension], or that divided by the modalities for blocks.
    ///
    /// - Parameter images: [B, H, W, 3] by modality, the same B for each, at least one.
    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor]

    /// These, and what the system makes of fewer of the modalities where that does not follow from them.
    func encode(_ images: [Modality: Tensor]) -> SystemVectors

    /// The embeddings of a batch: [B, dimension], before L2 normalisation.
    ///
    /// - Parameter rows: which triples the images are of, where not all have all; nil if they do.
    func embed(_ images: [Modality: Tensor], _ rows: BatchRows?) -> Tensor

    /// What training makes of each image on its own, by modality: one leading row an image. Only for a system built for
    /// training.
    func features(_ images: [Modality: Tensor]) -> [Modality: Tensor]

    /// The rest of training's forward pass, which sees the batch as a whole: what the losses need.
    ///
    /// - Parameters:
    ///   - features: of all the batch's images.
    ///   - rows: which triples they are of.
    func output(_ features: [Modality: Tensor], _ rows: BatchRows) -> SystemOutput
}

/// A system that reads texts too.
public protocol TextEncodingSystem: EncodingSystem {
    /// The embeddings of texts, each as indices into the vocabulary, none empty or longer than the model reads:
    /// [texts, dimension], before L2 normalisation.
    func embed(texts: [[Int]]) -> Tensor

    /// The forward pass of training on texts.
    func callAsFunction(texts: [[Int]]) -> SystemOutput
}

/// What a system makes of triples that have the same modalities.
public struct SystemVectors: Sendable {
    /// A vector a modality.
    public var parts: [Modality: Tensor]
    /// Of each smaller set of the modalities what it makes: [B, D], or its blocks side by side in the model's order. Of systems in
    /// which modalities give each other something, for whose parts know of all that were there.
    public var subsets: [Set<Modality>: Tensor] = [:]
}

extension SystemVectors {
    /// The sets of some but not all of what is present.
    static func smallerSets<Element>(of present: [Element]) -> [[Element]] {
        (1..<max((1 << present.count) - 1, 1)).map { bits in
            present.indices.filter { bits & 1 << $0 != 0 }.map { present[$0] }
        }
    }
}

extension EncodingSystem {
    /// No: so it is in most.
    public var interacts: Bool { false }

    /// Of systems whose vectors of a modality do not depend on the others.
    public func encode(_ images: [Modality: Tensor]) -> SystemVectors { SystemVectors(parts: vectors(images)) }

    /// The forward pass of training on triples that all have the modalities given.
    public func callAsFunction(_ images: [Modality: Tensor]) -> SystemOutput {
        output(features(images), BatchRows(images.values.first?.shape[0] ?? 0))
    }

    /// The embedding of all the modalities given: [B, dimension], before L2 normalisation.
    public func embed(_ images: [Modality: Tensor]) -> Tensor { embed(images, nil) }

    /// Of systems whose vectors of a modality do not depend on the others.
    public func embed(_ images: [Modality: Tensor], _ rows: BatchRows?) -> Tensor { combined(vectors(images), rows) }

    /// What one network makes of the images of all modalities, at least one, which go through it as one batch: the rows of each
    /// modality that is there, in the model's order.
    func shared(
        _ images: [Modality: Tensor], _ network: (Tensor) -> Tensor
    ) -> [(modality: Modality, rows: Tensor)] {
        let inputs = modalities.compactMap { modality in images[modality].map { (modality, $0) } }
        precondition(!inputs.isEmpty, "an embedding of no modality")
        let all = network(Tensor.concatenated(inputs.map(\.1), axis: 0))
        var start = 0
        return inputs.map { modality, input in
            defer { start += input.shape[0] }
            return (modality, all.sliced(axis: 0, start..<(start + input.shape[0])))
        }
    }

    /// The mean of what is present, or everything side by side with zeros for what is absent: [B, dimension]. At least one
    /// is present.
    ///
    /// - Parameter rows: which triples the vectors are of, where not all have all; nil if they do.
    func combined(_ vectors: [Modality: Tensor], _ rows: BatchRows? = nil) -> Tensor {
        let present = modalities.compactMap { modality in vectors[modality].map { (modality: modality, rows: $0) } }
        guard let shape = present.first?.rows.shape else { preconditionFailure("an embedding of no modality") }
        let all = rows ?? BatchRows(shape[0])
        switch combination {
        case .sum: return all.mean(present)
        case .blocks:
            let nothing = Tensor.zeros([all.count, shape[1]])
            let blocks = modalities.map { modality in vectors[modality].map { all.placed($0, modality) } ?? nothing }
            return Tensor.concatenated(blocks, axis: 1)
        }
    }
}

extension ModelConfiguration {
    /// How its system combines modalities.
    public var combination: Combination {
        switch system {
        case .unicat, .fusionConcat, .ieee: .blocks
        case .fusionAverage, .graft, .mixer, .dmf: .sum
        }
    }
}

/// What the losses need of a training pass.
public struct SystemOutput: Sendable {
    /// A feature with its own classifiers.
    public struct Head: Sendable {
        /// Such as `fused`, or a modality's.
        public let name: String
        /// [B, D], or fewer rows.
        public let features: Tensor
        /// [B, identities] each; one but for IEEE, which has one a part.
        public let logits: [Tensor]
        /// Which triple of the batch each row is of; nil for each its own.
        public var rows: [Int]?
    }

    /// In the order in which the losses are summed.
    public var heads: [Head]
    /// What serving answers with for this batch: [B, dimension], before L2 normalisation.
    public var embedding: Tensor
    /// GraFT's data tokens, [B, L, D], averaged over the modalities.
    public var data: Tensor?
    /// MixER's adversary: [images, modalities].
    public var modalityLogits: Tensor?
    /// The modality of each of MixER's images, by its place among the model's.
    public var places: [Int] = []

    /// The head of that name, which the system has.
    public func head(_ name: String) -> Head {
        guard let head = heads.first(where: { $0.name == name }) else {
            preconditionFailure("no head \(name) among \(heads.map(\.name))")
        }
        return head
    }
}

extension ModelConfiguration {
    /// Builds the system from weights. Throws `WeightsError` for a tensor that is missing or of another shape,
    /// `EncoderError.unsupported` for a system that cannot be built so.
    public func makeSystem(_ scope: ParameterScope) throws -> any EncodingSystem {
        let system = try makeFeatures(scope)
        return neckFeature == .before ? system : try system.afterNeck(self, scope)
    }

    private func makeFeatures(_ scope: ParameterScope) throws -> any EncodingSystem {
        switch system {
        case .unicat, .fusionConcat, .fusionAverage: try LateFusion(self, scope)
        case .graft(let head): try GraFT(self, head, scope)
        case .ieee(let head): try IEEE(self, head, scope)
        case .mixer(let head): try MixER(self, head, scope)
        case .dmf(let head): try DMF(self, head.text, scope)
        }
    }

    /// The classifier's size; throws `EncoderError.unsupported` if the configuration gives none.
    var trainedIdentities: Int {
        get throws {
            guard let identities else {
                throw EncoderError.unsupported("training without the number of identities in the configuration")
            }
            return identities
        }
    }
}
