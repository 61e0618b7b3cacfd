import Instrumentation

/// A place in a trace (W3C Trace Context, level 1).
package struct TraceContext: Equatable, Sendable {
    /// 32 hexadecimal digits.
    package let trace: String
    /// 16 hexadecimal digits; nil where the trace begins.
    package let span: String?
    /// Whether its spans are kept.
    package let isSampled: Bool

    /// The beginning of a trace, of which a share is kept.
    package init(sampling share: Double) {
        self.init(trace: Self.digits() + Self.digits(), span: nil, isSampled: Double.random(in: 0..<1) < share)
    }

    private init(trace: String, span: String?, isSampled: Bool) {
        (self.trace, self.span, self.isSampled) = (trace, span, isSampled)
    }

    /// What a `traceparent` says; nil for anything else than the specification has (section 3.2).
    package init?(_ traceparent: String) {
        let bytes = Array(traceparent.utf8)
        guard bytes.count >= 55, [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }),
            [0..<2, 3..<35, 36..<52, 53..<55].allSatisfy({ bytes[$0].allSatisfy(Self.isDigit) })
        else { return nil }
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        // Of a later version, what follows is none of ours.
        guard parts[0] == "00" ? bytes.count == 55 : parts[0] != "ff" && (bytes.count == 55 || bytes[55] == bytes[2]),
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" }),
            let flags = UInt8(parts[3], radix: 16)
        else { return nil }
        self.init(trace: parts[1], span: parts[2], isSampled: flags & 1 == 1)
    }

    /// Upper case is none.
    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// 16 of them, not all zero.
    private static func digits() -> String {
        let text = String(UInt64.random(in: 1...UInt64.max), radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// A new place after this one.
    func child() -> TraceContext { TraceContext(trace: trace, span: Self.digits(), isSampled: isSampled) }
}

extension InstrumentationContext {
    private enum Key: InstrumentationContextKey {
        typealias Value = TraceContext
    }

    /// Where a task is in a trace.
    var trace: TraceContext? {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }
}
