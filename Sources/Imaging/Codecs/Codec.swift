import CImageCodecs
import Foundation

/// Calls into the C codecs: their codes become errors, their buffers data.
enum Codec {
    /// Reads a header; throws `ImagingError.corrupt` with the codec's message.
    static func readHeader(
        _ format: String, _ step: (UnsafeMutablePointer<CChar>) -> cimage_status
    ) throws(ImagingError) {
        var message = [CChar](repeating: 0, count: Int(cimage_message_bytes))
        guard step(&message) == cimage_ok else { throw .corrupt(format: format, reason: text(message)) }
    }

    /// Decodes; throws `ImagingError.corrupt` with the codec's message, `.tooManyPasses`, or what ended the budget.
    static func decode(
        _ format: String, passes: Int, within budget: DecodingBudget,
        _ step: (UnsafePointer<cimage_watch>, UnsafeMutablePointer<CChar>) -> cimage_status
    ) throws(ImagingError) {
        let watcher = Watcher(budget)
        var message = [CChar](repeating: 0, count: Int(cimage_message_bytes))
        let status = withExtendedLifetime(watcher) {
            var watch = cimage_watch(
                is_over: { $0.map { Unmanaged<Watcher>.fromOpaque($0).takeUnretainedValue().isOver() } ?? 0 },
                context: Unmanaged.passUnretained(watcher).toOpaque(), passes: Int32(clamping: passes))
            return step(&watch, &message)
        }
        switch status {
        case cimage_ok: return
        case cimage_stopped: throw watcher.reason ?? .cancelled
        case cimage_too_much_work: throw .tooManyPasses(limit: passes)
        default: throw .corrupt(format: format, reason: text(message))
        }
    }

    /// A budget as C asks for it.
    private final class Watcher {
        private let budget: DecodingBudget
        private(set) var reason: ImagingError?

        init(_ budget: DecodingBudget) { self.budget = budget }

        func isOver() -> Int32 {
            do throws(ImagingError) { try budget.check() } catch { reason = error }
            return reason == nil ? 0 : 1
        }
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
