import CImageCodecs
import Foundation

/// Calls into the C codecs: their codes become errors, their buffers data.
enum Codec {
    /// Runs a decoding step; throws `ImagingError.corrupt` with the codec's message.
    static func run(
        _ format: String, _ step: (UnsafeMutablePointer<CChar>) -> cimage_status
    ) throws(ImagingError) {
        var message = [CChar](repeating: 0, count: Int(cimage_message_bytes))
        guard step(&message) == cimage_ok else { throw .corrupt(format: format, reason: text(message)) }
    }

    /// Runs an encoder and takes over its buffer; throws `ImagingError.encoding` with the codec's message.
    static func encode(
        _ step: (
            UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>, UnsafeMutablePointer<CChar>
        )
            -> cimage_status
    ) throws(ImagingError) -> Data {
        var message = [CChar](repeating: 0, count: Int(cimage_message_bytes))
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard step(&bytes, &count, &message) == cimage_ok, let bytes else { throw .encoding(text(message)) }
        defer { cimage_free(bytes) }
        return Data(bytes: bytes, count: count)
    }

    private static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
