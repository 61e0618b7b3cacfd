/// Why bytes are not an image that is accepted, or an image cannot be written.
public enum ImagingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No bytes.
    case empty
    /// Neither JPEG nor PNG; `start` is the first bytes in hexadecimal.
    case unrecognised(start: String)
    /// More bytes than allowed.
    case tooManyBytes(limit: Int, found: Int)
    /// More pixels than allowed.
    case tooManyPixels(limit: Int, width: Int, height: Int)
    /// More columns or rows than allowed.
    case tooLong(limit: Int, width: Int, height: Int)
    /// Scans that go over the image's blocks more often than allowed.
    case tooManyPasses(limit: Int)
    /// A box that has no pixel, or one outside the upright image.
    case outside(box: Image.Box, Image.Size)
    /// The decoding's deadline passed. Says nothing about the image.
    case timedOut
    /// Nobody waits for the decoding any more. Says nothing about the image.
    case cancelled
    /// Truncated or damaged; says what the codec found.
    case corrupt(format: String, reason: String)
    /// An image that cannot be encoded.
    case encoding(String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .empty: "empty: expected the bytes of a JPEG or PNG image, found none"
        case .unrecognised(let start): "not a JPEG or PNG image: starts with \(start)"
        case .tooManyBytes(let limit, let found): "an image of \(found) bytes exceeds the limit of \(limit) bytes"
        case .tooManyPixels(let limit, let width, let height):
            "an image of \(width) × \(height) pixels exceeds the limit of \(limit) pixels"
        case .tooLong(let limit, let width, let height):
            "an image of \(width) × \(height) pixels exceeds the limit of \(limit) pixels a side"
        case .tooManyPasses(let limit):
            "a JPEG image whose scans go over it more often than the limit of \(limit) times"
        case .outside(let box, let size):
            "expected a box within the upright image's \(size.width) × \(size.height) pixels, found "
                + "[\(box.x), \(box.y), \(box.width), \(box.height)]"
        case .timedOut: "decoding the image was given up at its deadline"
        case .cancelled: "decoding the image was given up: nobody waits for it"
        case .corrupt(let format, let reason): "a damaged or truncated \(format) image: \(reason)"
        case .encoding(let reason): "the image cannot be encoded: \(reason)"
        }
    }
}
