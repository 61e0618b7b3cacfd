import Hummingbird
import Logging
import Synchronization

/// Writes a line for every request: by its route's template, as paths name identities, and with nothing of what it holds.
struct AccessLogMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    /// What is asked all day by whoever watches: of interest when it fails.
    private static let probes = ["/healthz", "/readyz"]

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response = try await next(request, context)
        let (status, body) = (response.status.code, response.body)
        let line = AccessLine { bytes in
            log(request, context, status, bytes: bytes, after: start.duration(to: .now))
        }
        if let length = request.method == .head ? 0 : body.contentLength {
            line.write(length)
        } else {
            // It is known only at its end.
            response.body = ResponseBody { writer in
                do {
                    try await body.write(CountingWriter(base: writer, line: line))
                } catch {
                    line.write()
                    throw error
                }
            }
        }
        return response
    }

    private func log(
        _ request: Request, _ context: ServerContext, _ status: Int, bytes: Int, after duration: Duration
    ) {
        var metadata: Logger.Metadata = [
            "method": "\(ServerMetrics.label(method: request.method.rawValue))",
            "route": "\(context.route)", "status": .stringConvertible(status),
            "duration_ms": .stringConvertible((duration.seconds * 1e6).rounded() / 1e3),
            "bytes_in": .stringConvertible(context.connection.received), "bytes_out": .stringConvertible(bytes),
        ]
        if let key = context.asker.key { metadata["key"] = "\(key)" }
        let isGoodProbe = status < 400 && Self.probes.contains(context.route)
        context.logger.log(level: isGoodProbe ? .debug : .info, "request", metadata: metadata)
    }
}

/// Is written once, when the answer's end is known.
private final class AccessLine: Sendable {
    private let output: @Sendable (Int) -> Void
    /// Of the answer; nil once it was written.
    private let bytes = Mutex<Int?>(0)

    init(_ output: @escaping @Sendable (Int) -> Void) { self.output = output }

    func add(_ count: Int) { bytes.withLock { $0 = $0.map { $0 + count } } }

    func write(_ more: Int = 0) {
        let total = bytes.withLock { bytes in
            defer { bytes = nil }
            return bytes.map { $0 + more }
        }
        if let total { output(total) }
    }
}

private struct CountingWriter: ResponseBodyWriter {
    var base: any ResponseBodyWriter
    let line: AccessLine

    mutating func write(_ buffer: ByteBuffer) async throws {
        line.add(buffer.readableBytes)
        try await base.write(buffer)
    }

    consuming func finish(_ trailers: HTTPFields?) async throws {
        // Before its end goes: then the next request may come on this connection.
        line.write()
        try await base.finish(trailers)
    }
}
