import Crypto
import Documents
import Foundation
import Imaging
import Tensor
import Threads

/// A system with loaded weights, built for inference.
public final class MultimodalEncoder: TripleEncoder {
    /// The SHA-256 digest of the checkpoint's file, in hexadecimal, or `name(_:computedIn:)` of it.
    public let model: String
    /// What the model is.
    public let configuration: ModelConfiguration
    /// The narrowest precision that it multiplies in.
    public let precision: Precision
    private let system: any EncodingSystem
    private let preprocessing: Preprocessing
    private let compute: ComputeThread
    private let batcher: Batcher
    private let backgroundBatcher: Batcher

    /// Builds an encoder: checks that every tensor is there and of its shape, and packs the weights.
    ///
    /// Throws `WeightsError` or `EncoderError.unsupported`.
    /// - Parameter format: of weights that have none of their own, in layers that may be narrow: float32, or bfloat16.
    public convenience init(
        configuration: ModelConfiguration, weights: Weights, model: String, compute: ComputeThread = .shared,
        batching: Batching = Batching(), format: WeightFormat = .float32
    ) throws {
        let scope = ParameterScope(weights, mode: .inference, format: format)
        try self.init(configuration, scope, model, Self.narrower(weights, format), compute, batching)
    }

    /// Builds an encoder of a checkpoint, and lets go of each tensor as soon as it is packed: if nobody else holds them,
    /// a model needs little more than its own memory while it is loaded.
    ///
    /// Throws as the other initialiser does.
    /// - Parameter format: of a float32 model's weights, in layers that may be narrow: float32, or bfloat16. Others keep theirs.
    public convenience init(
        consuming checkpoint: consuming Checkpoint, compute: ComputeThread = .shared, batching: Batching = Batching(),
        format: WeightFormat = .float32
    ) throws {
        let format = checkpoint.weights.precision == .float32 ? format : .float32
        let configuration = checkpoint.configuration
        let model = Self.name(checkpoint.digest, computedIn: format.precision)
        let precision = Self.narrower(checkpoint.weights, format)
        let scope = ParameterScope(draining: checkpoint.weights, mode: .inference, format: format)
        _ = consume checkpoint
        try self.init(configuration, scope, model, precision, compute, batching)
    }

    /// What the vectors of a float32 model are known by that is computed in some precision: its digest in float32, elsewhere
    /// another 64 digits, so that they are another model's.
    public static func name(_ digest: String, computedIn precision: Precision) -> String {
        if precision == .float32 { return digest }
        return SHA256.hash(data: Data("\(digest) \(precision.rawValue)".utf8)).hexadecimal
    }

    private static func narrower(_ weights: Weights, _ format: WeightFormat) -> Precision {
        weights.precision.bytes < format.precision.bytes ? weights.precision : format.precision
    }

    private init(
        _ configuration: ModelConfiguration, _ scope: ParameterScope, _ model: String, _ precision: Precision,
        _ compute: ComputeThread, _ batching: Batching
    ) throws {
        self.configuration = configuration
        self.precision = precision
        self.model = model
        self.compute = compute
        system = try configuration.makeSystem(scope)
        preprocessing = Preprocessing(configuration.input)
        batcher = Batcher(system, compute: compute, batching)
        backgroundBatcher = Batcher(system, compute: .background)
    }

    /// The modalities that the model was built for.
    public var modalities: [Modality] { configuration.modalities }

    /// Elements of an embedding.
    public var dimension: Int { system.dimension }

    /// The system's.
    public var combination: Combination { system.combination }

    /// As the system does.
    public var interacts: Bool { system.interacts }

    /// The configuration's.
    public var inputSize: Image.Size {
        Image.Size(width: configuration.input.width, height: configuration.input.height)
    }

    /// The configuration's.
    public func valueRange(_ modality: Modality) -> ClosedRange<UInt16>? { preprocessing.valueRange(modality) }

    /// The image at the model's size.
    public func prepared(_ image: Image) -> Image { preprocessing.resized(image) }

    /// Encodes a triple. Throws `EncoderError`.
    public func embed(_ images: [Modality: Image]) async throws -> Embedding {
        try await embed(images, by: batcher, withSets: interacts)
    }

    /// As `TripleEncoder` says.
    public func expecting<Value>(
        _ modalities: Set<Modality>, _ work: () async throws -> Value
    ) async rethrows -> Value {
        try await batcher.expecting(.init(modalities: modalities, withSets: interacts), work)
    }

    /// As `TripleEncoder` says.
    public var waiting: Int { batcher.waiting }

    /// As `TripleEncoder` says: on `ComputeThread.background`.
    public var inBackground: any TripleEncoder {
        Variant(encoder: self, isInBackground: true, interacts: interacts)
    }

    /// As `TripleEncoder` says.
    public var wholeOnly: any TripleEncoder {
        interacts ? Variant(encoder: self, isInBackground: false, interacts: false) : self
    }

    private struct Variant: TripleEncoder {
        let encoder: MultimodalEncoder
        let isInBackground: Bool
        let interacts: Bool

        var model: String { encoder.model }
        var modalities: [Modality] { encoder.modalities }
        var dimension: Int { encoder.dimension }
        var combination: Combination { encoder.combination }
        var inputSize: Image.Size { encoder.inputSize }
        var waiting: Int { isInBackground ? encoder.backgroundBatcher.waiting : encoder.batcher.waiting }
        var inBackground: any TripleEncoder { Self(encoder: encoder, isInBackground: true, interacts: interacts) }
        var wholeOnly: any TripleEncoder { Self(encoder: encoder, isInBackground: isInBackground, interacts: false) }

        func valueRange(_ modality: Modality) -> ClosedRange<UInt16>? { encoder.valueRange(modality) }

        func prepared(_ image: Image) -> Image { encoder.prepared(image) }

        func embed(_ images: [Modality: Image]) async throws -> Embedding {
            try await encoder.embed(
                images, by: isInBackground ? encoder.backgroundBatcher : encoder.batcher, withSets: interacts)
        }

        func embed(text: String) async throws -> [Float] { try await encoder.embed(text: text) }

        func expecting<Value>(
            _ modalities: Set<Modality>, _ work: () async throws -> Value
        ) async rethrows -> Value {
            // Nobody waits for those in the background.
            if isInBackground { return try await work() }
            return try await encoder.batcher.expecting(.init(modalities: modalities, withSets: interacts), work)
        }
    }

    private func embed(
        _ images: [Modality: Image], by batcher: Batcher, withSets: Bool
    ) async throws -> Embedding {
        try check(images.keys)
        let preprocessing = preprocessing
        let prepared = try await ComputeThread.preparation.run {
            Dictionary(
                uniqueKeysWithValues: images.map { ($0, preprocessing.tensor([preprocessing.resized($1)], $0)) })
        }
        let vectors = try await batcher.embed(prepared, withSets: withSets)
        var embedding = Embedding(vectors: vectors.parts, combination: combination, order: modalities)
        embedding.subsets = vectors.subsets
        // Of finite vectors, as their sum or norm may still be none.
        guard embedding.values.allSatisfy(\.isFinite),
            (Array(embedding.vectors.values) + embedding.subsets.values).allSatisfy({ $0.allSatisfy(\.isFinite) })
        else { throw EncoderError.notFinite }
        return embedding
    }

    /// As `TripleEncoder` says.
    public func embed(text: String) async throws -> [Float] {
        let (system, reader) = try reading()
        let tokens = try reader.tokens(text)
        let vector = try await compute.run { Embedding.normalised(system.embed(texts: [tokens]))[0] }
        guard vector.allSatisfy(\.isFinite) else { throw EncoderError.notFinite }
        return vector
    }

    /// Encodes texts, before L2 normalisation: [texts, dimension]. Blocks: call it on a compute thread. Throws `EncoderError.noText`
    /// unless the model reads texts, `.unknownWords` for one of which it knows no word.
    package func embed(texts: [String]) throws(EncoderError) -> Tensor {
        let (system, reader) = try reading()
        var tokens: [[Int]] = []
        for text in texts { tokens.append(try reader.tokens(text)) }
        return system.embed(texts: tokens)
    }

    /// Whether the model reads texts.
    package var readsTexts: Bool { (try? reading()) != nil }
    /// Whether the model can read a text: whether it knows a word of it.
    package func knowsWord(of text: String) -> Bool { (try? reading().reader.tokens(text)) != nil }

    private func reading() throws(EncoderError) -> (system: any TextEncodingSystem, reader: TextReader) {
        guard case .dmf(let head) = configuration.system, let system = system as? any TextEncodingSystem else {
            throw .noText
        }
        return (system, TextReader(head.text))
    }

    /// Encodes a batch of standardised tensors [B, H, W, 3], before L2 normalisation: [B, dimension]. Blocks: call it
    /// on a compute thread. Throws `EncoderError` for shapes that do not fit.
    public func embed(batch images: [Modality: Tensor]) throws -> Tensor {
        try check(images.keys)
        let batch = images.values.first?.shape.dimensions.first ?? 0
        let expected: Shape = [batch, configuration.input.height, configuration.input.width, 3]
        for (modality, tensor) in images where tensor.shape != expected || batch == 0 {
            throw EncoderError.wrongInput(
                name: modality.rawValue, expected: "\(expected)", found: "\(tensor.shape)")
        }
        return encode(images)
    }

    private func encode(_ images: [Modality: Tensor]) -> Tensor { system.embed(images) }

    /// The vectors by modality of which `embed(batch:)` makes one, for tensors that fit.
    package func vectors(batch images: [Modality: Tensor]) -> [Modality: Tensor] { system.vectors(images) }

    /// What is compared of tensors that fit, before L2 normalisation: a vector a modality, or, where they give each other something, one
    /// for each of some sets of the modalities, as if the others were not there. What the sets have in common is computed once.
    package func vectors(
        batch images: [Modality: Tensor], of sets: Set<Set<Modality>>
    ) -> [Set<Modality>: Tensor] {
        guard interacts else {
            return Dictionary(uniqueKeysWithValues: system.vectors(images).map { (Set([$0.key]), $0.value) })
        }
        let whole = Set(images.keys)
        let encoded = sets == [whole] ? SystemVectors(parts: system.vectors(images)) : system.encode(images)
        let parts = modalities.compactMap { encoded.parts[$0] }
        let all = combination == .sum ? Tensor.mean(of: parts) : Tensor.concatenated(parts, axis: 1)
        return Dictionary(uniqueKeysWithValues: sets.map { ($0, $0 == whole ? all : encoded.subsets[$0] ?? all) })
    }

    /// What `embed(batch:)` makes of vectors by modality: [B, dimension], before L2 normalisation.
    package func combined(_ vectors: [Modality: Tensor]) -> Tensor { system.combined(vectors) }

    /// The embedding of a text of the vocabulary's first word, [1, dimension], before L2 normalisation; nil for a model that
    /// reads no texts or knows no word.
    func embedFirstWord() -> Tensor? {
        guard case .dmf(let head) = configuration.system, head.text.vocabulary.count > 1,
            let system = system as? any TextEncodingSystem
        else { return nil }
        return system.embed(texts: [[1]])
    }

    private func check(_ found: some Sequence<Modality>) throws {
        var isEmpty = true
        for modality in found.sorted() {
            isEmpty = false
            guard modalities.contains(modality) else {
                throw EncoderError.unknownModality(found: modality, expected: modalities)
            }
        }
        if isEmpty { throw EncoderError.noModality(expected: modalities) }
    }
}
