import Inference
import Tensor

/// The tensors of one step.
package struct TrainingBatch: Sendable {
    /// What the system reads.
    package enum Input: Sendable {
        /// [B, H, W, 3] by modality, or fewer rows where triples have lost it.
        case images([Modality: Tensor])
        /// Indices into the vocabulary, B times.
        case texts([[Int]])
    }

    let input: Input
    /// The identity of each row, as the classifier counts them.
    let labels: [Int]
    /// [anchor, positive, negative] as indices into the batch.
    let triples: [[Int]]
    /// Which triples the images are of.
    let rows: BatchRows

    /// A batch as given.
    package init(input: Input, labels: [Int], triples: [[Int]] = [], rows: BatchRows) {
        (self.input, self.labels, self.triples, self.rows) = (input, labels, triples, rows)
    }

    /// The batch cut into parts of at most so many triples, for what each triple is by itself: their labels and GraFT's triples are
    /// left out. Texts stay one part.
    package func parts(of size: Int) -> [TrainingBatch] {
        guard case .images(let images) = input else { return [self] }
        return zip(rows.parts(of: size), stride(from: 0, to: rows.count, by: size)).map { ranges, start in
            let own = ranges.compactMap { modality, range in
                images[modality].map { (modality, $0.sliced(axis: 0, range)) }
            }
            return TrainingBatch(
                input: .images(Dictionary(uniqueKeysWithValues: own)), labels: [],
                rows: rows.sliced(start..<min(start + size, rows.count)))
        }
    }

    /// The system's forward pass. Throws `EncoderError.noTexts` if it reads none.
    func run(_ system: any EncodingSystem) throws -> SystemOutput {
        switch input {
        case .images(let images): return system.output(system.features(images), rows)
        case .texts(let texts):
            guard let system = system as? any TextEncodingSystem else {
                throw EncoderError.unsupported("batches of texts for a system without a text encoder")
            }
            return system(texts: texts)
        }
    }
}
