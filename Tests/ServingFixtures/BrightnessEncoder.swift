import Foundation
import Imaging
import Inference

/// A deterministic stand-in for a model: the images' brightness over a coarse grid, averaged over modalities.
package struct BrightnessEncoder: TripleEncoder {
    package let model = String(repeating: "b7", count: 32)
    package let modalities = Modality.allCases
    /// At most 16.
    package let dimension: Int
    package let combination = Combination.sum
    package let inputSize = Image.Size(width: 4, height: 4)
    /// What every image waits for.
    package var wait: @Sendable () async throws -> Void = {}

    package init(dimension: Int = 16, wait: @escaping @Sendable () async throws -> Void = {}) {
        (self.dimension, self.wait) = (dimension, wait)
    }

    package func prepared(_ image: Image) -> Image { image.resized(width: 4, height: 4, interpolation: .bilinear) }

    /// The picture that is named, as in `picture 3`.
    package func embed(text: String) async throws -> [Float] {
        guard let seed = text.split(separator: " ").last.flatMap({ Int($0) }) else {
            throw EncoderError.unknownWords(text: text)
        }
        return try await embed([.rgb: ImageDecoder().decode(picture(seed))]).values
    }

    package func embed(_ images: [Modality: Image]) async throws -> Embedding {
        try await wait()
        let vectors = images.mapValues { image in
            let pixels = prepared(image).pixels
            return (0..<dimension).map { Float(pixels[$0 * 3]) - 100.5 }
        }
        return Embedding(vectors: vectors, combination: combination, order: modalities)
    }
}

/// A small JPEG with a pattern of its own.
package func picture(_ seed: Int, size: Int = 32) throws -> Data {
    var state = UInt64(seed) &* 2_862_933_555_777_941_757 &+ 3_037_000_493
    let levels = (0..<16).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1
        return UInt8(truncatingIfNeeded: state >> 40)
    }
    let pixels = (0..<(size * size)).map { levels[$0 / size * 4 / size * 4 + $0 % size * 4 / size] }
    return try JPEGEncoder.encode(Image(width: size, height: size, channels: 1, pixels: pixels), quality: 95)
}
