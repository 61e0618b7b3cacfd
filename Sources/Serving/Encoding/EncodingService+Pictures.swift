import Foundation
import Gallery
import Imaging
import Inference

extension EncodingService {
    /// A kept image for people to look at: upright, of a width, as JPEG.
    ///
    /// - Parameters:
    ///   - width: columns, 16–2048; an image that has no more keeps its own. nil for its own.
    ///   - isCropped: whether to show its box alone, if it has one.
    /// - Throws: `ServingError.undecodable`, `.deadline`, or `CancellationError`.
    package func picture(of image: KeptImage, width: Int?, isCropped: Bool) async throws -> Data {
        let modality = Modality(rawValue: image.modality) ?? .rgb
        let (decoder, box) = (decoder, isCropped ? image.box.map(Image.Box.init) : nil)
        let seconds = settings.decodeSeconds
        return try await Deadline.run(seconds: settings.seconds) {
            try await decoding.run { isWanted in
                let budget = DecodingBudget(deadline: .now + .seconds(seconds)) { !isWanted() }
                do {
                    let whole =
                        try box.map { Image.Size(width: $0.width, height: $0.height) } ?? decoder.size(of: image.bytes)
                    let target = Self.size(whole, width)
                    let decoded = try decoder.decode(image.bytes, box: box, for: target, within: budget)
                    let resized = decoded.resized(width: target.width, height: target.height, interpolation: .bilinear)
                    return try JPEGEncoder.encode(resized, quality: 85)
                } catch ImagingError.cancelled {
                    throw CancellationError()
                } catch let error as ImagingError {
                    throw ServingError.undecodable(modality, error)
                }
            }
        }
    }

    private static func size(_ size: Image.Size, _ width: Int?) -> Image.Size {
        guard let width, width < size.width else { return size }
        return Image.Size(width: width, height: max(1, (size.height * width + size.width / 2) / size.width))
    }
}
