import Foundation
import Gallery
import Imaging
import Inference
import Threads

/// The way from image files to embeddings: decodes on threads of its own, encodes on the compute thread, within a deadline.
package struct EncodingService: Sendable {
    let settings: ServingConfiguration.Encoding
    let decoder: ImageDecoder
    let decoding: WorkerThreads
    /// For images that nobody waits for: those of requests do not queue behind them.
    private let backgroundDecoding: WorkerThreads
    private let observer: ServingObserver

    /// A service with decoding threads of its own.
    package init(_ settings: ServingConfiguration.Encoding, observer: ServingObserver = ServingObserver()) {
        (self.settings, self.observer) = (settings, observer)
        decoder = ImageDecoder(
            limits: ImageLimits(bytes: settings.imageBytes, pixels: settings.imagePixels),
            thermalRange: settings.thermalRange)
        decoding = WorkerThreads("decoding", count: settings.decodingThreads)
        backgroundDecoding = WorkerThreads("background decoding", count: max(1, settings.decodingThreads / 2))
    }

    /// Images of requests that wait to be decoded, and those that are.
    package var load: (waiting: Int, running: Int) { decoding.load }

    /// An embedding with what it took.
    package struct Encoded: Sendable {
        package let embedding: Embedding
        /// Of each image at the model's size; empty unless asked for.
        package var quality: [Modality: ImageQuality] = [:]
        package let decodeMilliseconds: Double
        package let encodeMilliseconds: Double
    }

    /// Decodes and encodes a triple.
    ///
    /// Throws `ServingError.noImage`, `.undecodable` or `.deadline`, `EncoderError`, or `CancellationError`; what has not
    /// begun by then is never begun.
    ///
    /// - Parameter measures: whether the images' quality is wanted.
    package func encode(
        _ images: [Modality: SentImage], with encoder: any TripleEncoder, measures: Bool = false
    ) async throws -> Encoded {
        try await Deadline.run(seconds: settings.seconds) {
            try await encodeWithoutDeadline(images, with: encoder, measures: measures)
        }
    }

    private func encodeWithoutDeadline(
        _ images: [Modality: SentImage], with encoder: any TripleEncoder, measures: Bool = false
    ) async throws -> Encoded {
        guard !images.isEmpty else { throw ServingError.noImage }
        for modality in images.keys.sorted() where !encoder.modalities.contains(modality) {
            throw EncoderError.unknownModality(found: modality, expected: encoder.modalities)
        }
        let start = ContinuousClock.now
        let (embedding, quality, middle) = try await encoder.expecting(Set(images.keys)) {
            let decoded = try await decode(images, for: encoder, measures: measures)
            let middle = ContinuousClock.now
            return (try await encoder.embed(decoded.mapValues(\.image)), decoded.compactMapValues(\.quality), middle)
        }
        let end = ContinuousClock.now
        if !encoder.isInBackground {
            observer.timed(.decode, start, middle)
            observer.timed(.encode, middle, end)
        }
        observer.encoded(encoder.model)
        return Encoded(
            embedding: embedding, quality: quality, decodeMilliseconds: start.duration(to: middle).seconds * 1000,
            encodeMilliseconds: middle.duration(to: end).seconds * 1000)
    }

    /// What the active model, the first one, makes of a triple to be enrolled, and the candidate if there is one; that may know
    /// fewer modalities. Throws as above.
    func encode(_ images: [Modality: SentImage], for encoders: [any TripleEncoder]) async throws -> [SightingEmbedding]
    {
        try await measured(images, for: encoders, measures: false).embeddings
    }

    /// The same with the images' quality.
    func measured(
        _ images: [Modality: SentImage], for encoders: [any TripleEncoder], measures: Bool = true
    ) async throws -> (embeddings: [SightingEmbedding], quality: [Modality: ImageQuality]) {
        var (embeddings, quality) = ([SightingEmbedding](), [Modality: ImageQuality]())
        for (index, encoder) in encoders.enumerated() {
            let known = index == 0 ? images : images.filter { encoder.modalities.contains($0.key) }
            if index > 0 && known.isEmpty { continue }
            let encoded = try await encode(known, with: encoder, measures: measures && index == 0)
            embeddings.append(encoded.embedding.stored(by: encoder))
            if index == 0 { quality = encoded.quality }
        }
        return (embeddings, quality)
    }

    /// Encodes a text. Throws `ServingError.deadline`, `EncoderError`, or `CancellationError`.
    package func encode(text: String, with encoder: any TripleEncoder) async throws -> [Float] {
        let start = ContinuousClock.now
        let vector = try await Deadline.run(seconds: settings.seconds) { try await encoder.embed(text: text) }
        observer.timed(.encode, start, .now)
        observer.encoded(encoder.model)
        return vector
    }

    /// Encodes what was kept of a sighting, beside the requests: whenever they leave cores free, and the time after it is
    /// theirs alone, so that this takes no more than its share. nil if the model knows none of the images' modalities.
    /// Throws as `encode` does.
    func encodeInBackground(
        _ images: [KeptImage], with encoder: any TripleEncoder, share: Double = 1
    ) async throws -> Encoded? {
        let known = images.compactMap { image in
            Modality(rawValue: image.modality).flatMap {
                encoder.modalities.contains($0) ? ($0, SentImage(image.bytes, box: image.box)) : nil
            }
        }
        guard !known.isEmpty else { return nil }
        let start = ContinuousClock.now
        let encoded = try await encodeWithoutDeadline(
            Dictionary(uniqueKeysWithValues: known), with: encoder.inBackground)
        try await Task.sleep(for: start.duration(to: .now) * (1 / share - 1))
        return encoded
    }

    /// Looks, by their headers alone, whether images that are kept without being decoded have their boxes within. Throws
    /// `ServingError.undecodable`, or `CancellationError`.
    func checkBoxes(_ images: [Modality: SentImage]) async throws {
        for (modality, image) in images.sorted(by: { $0.key < $1.key }) {
            guard let box = image.box.map(Image.Box.init) else { continue }
            try await backgroundDecoding.run { [decoder] in
                do {
                    try box.check(within: decoder.size(of: image.file))
                } catch let error as ImagingError {
                    throw ServingError.undecodable(modality, error)
                }
            }
        }
    }

    /// How similar two triples are: the cosine of what they share, or of all of each where they share nothing. Throws as
    /// `encode` does.
    package func compare(
        _ pair: (first: [Modality: SentImage], second: [Modality: SentImage]), with encoder: any TripleEncoder
    ) async throws -> (modalities: [[Modality]], score: Float) {
        let encoder = Set(pair.first.keys) == Set(pair.second.keys) ? encoder.wholeOnly : encoder
        let first = try await encode(pair.first, with: encoder).embedding
        let second = try await encode(pair.second, with: encoder).embedding
        let shared = Set(first.modalities).intersection(second.modalities)
        if shared.isEmpty && encoder.combination == .blocks {
            throw ServingError.nothingShared(first.modalities, second.modalities)
        }
        let (a, b) = (first.restricted(to: shared, encoder), second.restricted(to: shared, encoder))
        let score = zip(a.values, b.values).reduce(0) { $0 + $1.0 * $1.1 }
        // Rounding must not make a cosine of more than 1.
        return ([a.modalities, b.modalities], min(max(score, -1), 1))
    }
}

extension EncodingService {
    /// Images at the model's size, decoded side by side. Throws `ServingError.undecodable`, if several cannot be decoded for
    /// the first modality, or `CancellationError`.
    private func decode(
        _ images: [Modality: SentImage], for encoder: any TripleEncoder, measures: Bool
    ) async throws -> [Modality: Decoded] {
        try await sideBySide(images.sorted { $0.key < $1.key }[...], for: encoder, measures)
    }

    private struct Decoded: Sendable {
        let image: Image
        let quality: ImageQuality?
    }

    private func sideBySide(
        _ files: ArraySlice<(key: Modality, value: SentImage)>, for encoder: any TripleEncoder, _ measures: Bool
    ) async throws -> [Modality: Decoded] {
        guard let (modality, sent) = files.first else { return [:] }
        // If this image cannot be decoded, the others are cancelled, and their errors are not seen.
        async let others = sideBySide(files.dropFirst(), for: encoder, measures)
        let image = try await decode(sent, modality, for: encoder, measures)
        return try await others.merging([modality: image]) { $1 }
    }

    private func decode(
        _ sent: SentImage, _ modality: Modality, for encoder: any TripleEncoder, _ measures: Bool
    ) async throws -> Decoded {
        // The model's range comes before the server's: it was trained with it.
        let decoder = decoder.scaling(encoder.valueRange(modality))
        let target = settings.scalesDecoding ? encoder.inputSize : nil
        let (box, seconds) = (sent.box.map(Image.Box.init), settings.decodeSeconds)
        return try await (encoder.isInBackground ? backgroundDecoding : decoding).run { isWanted in
            let budget = DecodingBudget(deadline: .now + .seconds(seconds)) { !isWanted() }
            do {
                // Resized at once: so only one large image a decoding thread is in memory, however many wait.
                let image = try decoder.decode(sent.file, box: box, for: target, within: budget)
                let prepared = encoder.prepared(image)
                return Decoded(
                    image: prepared,
                    quality: measures ? ImageQuality(of: prepared, side: min(image.width, image.height)) : nil)
            } catch ImagingError.cancelled {
                throw CancellationError()
            } catch let error as ImagingError {
                throw ServingError.undecodable(modality, error)
            }
        }
    }
}

extension Embedding {
    /// As the gallery takes it.
    func stored(by encoder: any TripleEncoder) -> SightingEmbedding {
        SightingEmbedding(model: encoder.model, space: encoder.space, vectors: named(order: encoder.modalities))
    }

    /// Of some of its modalities, or of all if there are none of these.
    fileprivate func restricted(to modalities: Set<Modality>, _ encoder: any TripleEncoder) -> Embedding {
        if modalities.isEmpty { return self }
        if let subset = subsets[modalities] {
            var restricted = self
            restricted.vectors = vectors.filter { modalities.contains($0.key) }
            restricted.values = Embedding.normalised(subset)
            return restricted
        }
        return Embedding(
            vectors: vectors.filter { modalities.contains($0.key) }, combination: encoder.combination,
            order: encoder.modalities)
    }
}

extension TripleEncoder {
    /// What its vectors are, for the gallery.
    var space: VectorSpace {
        VectorSpace(
            combination: combination == .sum ? .sum : .blocks, modalities: modalities.map(\.rawValue),
            partDimension: combination == .sum ? dimension : dimension / modalities.count)
    }
}

extension Duration {
    /// In seconds.
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
