import Imaging
import Tensor

/// Images to the tensors that a model takes: resized, scaled to 0…1, standardised.
public struct Preprocessing: Sendable {
    private let input: ModelConfiguration.Input

    /// For a model's input section.
    public init(_ input: ModelConfiguration.Input) { self.input = input }

    /// Bytes of an image at the model's size, in 8 bits.
    package var pixelBytes: Int { input.width * input.height * 3 }

    /// The 16-bit values of a modality that become 0 and 255; nil for each image's own percentiles.
    public func valueRange(_ modality: Modality) -> ClosedRange<UInt16>? { input.valueRange[modality] }

    /// An image at the model's size, still in 8 bits.
    public func resized(_ image: Image) -> Image {
        image.replicatedToRGB()
            .resized(width: input.width, height: input.height, interpolation: input.interpolation)
    }

    /// Images of the model's size → [B, H, W, 3], (x/255 - mean) / std.
    public func tensor(_ images: [Image], _ modality: Modality) -> Tensor {
        let tables = (0..<3).map { channel in table(modality, channel) }
        let size = input.height * input.width * 3
        return Tensor(shape: [images.count, input.height, input.width, 3]) { elements in
            for (index, image) in images.enumerated() {
                precondition(image.pixels.count == size, "an image of \(image.width)×\(image.height)×\(image.channels)")
                image.pixels.withUnsafeBufferPointer { pixels in
                    let target = index * size
                    for i in stride(from: 0, to: size, by: 3) {
                        elements[target + i] = tables[0][Int(pixels[i])]
                        elements[target + i + 1] = tables[1][Int(pixels[i + 1])]
                        elements[target + i + 2] = tables[2][Int(pixels[i + 2])]
                    }
                }
            }
        }
    }

    /// The 8-bit colour that standardisation maps nearest to 0.
    public func mean(_ modality: Modality) -> [UInt8] {
        (input.mean[modality] ?? [0, 0, 0]).map { UInt8(min(max($0 * 255, 0), 255).rounded()) }
    }

    /// The standardised value of each of the 256 levels.
    private func table(_ modality: Modality, _ channel: Int) -> [Float] {
        let mean = input.mean[modality]?[channel] ?? 0
        let deviation = input.std[modality]?[channel] ?? 1
        return (0..<256).map { (Float($0) / 255 - mean) / deviation }
    }
}

/// Turns a text into indices of a vocabulary: lower case, split at everything that is no letter or digit, words that the
/// model does not know left out.
package struct TextReader: Sendable {
    private let indices: [String: Int]
    private let maxTokens: Int

    /// Index 0 of the vocabulary pads and is no word.
    package init(_ text: ModelConfiguration.DMFHead.Text) {
        let words = text.vocabulary.enumerated().dropFirst().map { ($1.lowercased(), $0) }
        indices = Dictionary(words) { first, _ in first }
        maxTokens = text.maxTokens
    }

    /// The words of a text, known or not.
    package static func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// The first known words, as many as the model reads. Throws `EncoderError.unknownWords` if there are none.
    package func tokens(_ text: String) throws(EncoderError) -> [Int] {
        let known = Self.words(text).compactMap { indices[$0] }
        guard !known.isEmpty else { throw .unknownWords(text: text) }
        return Array(known.prefix(maxTokens))
    }
}
