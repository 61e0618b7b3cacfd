import Gallery
import Inference

/// What a model made of a triple, as a client has it.
package struct GivenVectors: Sendable {
    /// The vectors.
    package enum Values: Sendable {
        /// A vector a modality, as the encoder gave them.
        case parts([String: [Float]])
        /// One of a set of modalities; of all that the model has, unless it says.
        case whole([Float], modalities: [String]?)
    }

    package let values: Values
    /// The active one, unless it says.
    package let model: String?

    package init(_ values: Values, model: String?) { (self.values, self.model) = (values, model) }

    func embedding(_ active: any TripleEncoder) -> SightingEmbedding {
        let model = model ?? active.model
        let space = model == active.model ? active.space : nil
        switch values {
        case .parts(let vectors): return SightingEmbedding(model: model, space: space, vectors: vectors)
        case .whole(let vector, let modalities):
            return SightingEmbedding(
                model: model, space: space, modalities: modalities ?? active.modalities.map(\.rawValue), values: vector)
        }
    }

    /// Whether they are those of the active model, or are taken for such.
    func areOf(_ active: any TripleEncoder) -> Bool { model == nil || model == active.model }

    /// Equal for equal vectors alone.
    var canonical: String {
        let text = { (values: [Float]) in values.map { String($0.bitPattern, radix: 16) }.joined(separator: ",") }
        switch values {
        case .parts(let vectors):
            return vectors.sorted { $0.key < $1.key }.map { "\($0.key):\(text($0.value))" }.joined(separator: ";")
                + "@\(model ?? "")"
        case .whole(let vector, let modalities):
            return "\(modalities?.joined(separator: "+") ?? "*"):\(text(vector))@\(model ?? "")"
        }
    }
}

extension Enrolment {
    /// Vectors in place of images.
    mutating func give(_ vectors: GivenVectors, _ active: any TripleEncoder) {
        embeddings = [vectors.embedding(active)]
        activeModel = vectors.areOf(active) ? active.model : nil
    }
}
