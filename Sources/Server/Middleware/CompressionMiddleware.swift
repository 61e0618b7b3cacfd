import Hummingbird
import NIOCore
import Threads

/// Compresses long answers for clients that ask for it. Only what succeeds, and is JSON, the contract or the console: images are
/// compressed already, events must not wait, a problem repeats what a request said, and metrics wait for no thread.
struct CompressionMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    private static let types: Set = [
        "application/json", "application/x-ndjson", "application/yaml", "text/html", "text/css", "text/javascript",
    ]
    /// Shorter answers fit into a packet or two as they are.
    private static let leastBytes = 2048

    /// Where it is done: long answers must not hold up other tasks.
    let threads: WorkerThreads

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        let type = response.headers[.contentType]?.prefix { $0 != ";" }
        guard response.status.kind == .successful, let type, Self.types.contains(String(type)),
            response.body.contentLength.map({ $0 >= Self.leastBytes }) ?? true
        else { return response }
        response.headers.vary(by: "Accept-Encoding")
        guard request.method != .head, Self.acceptsGzip(request.headers[.acceptEncoding] ?? "") else { return response }
        response.headers[.contentEncoding] = "gzip"
        let (body, threads) = (response.body, threads)
        response.body = ResponseBody { writer in
            try await body.write(CompressedWriter(base: writer, stream: GzipStream(), threads: threads))
        }
        response.headers[.contentLength] = nil
        return response
    }

    /// Whether it says so, and not that it does not want to (RFC 9110, section 12.5.3).
    static func acceptsGzip(_ text: String) -> Bool {
        var weights: [Substring: Double] = [:]
        for part in text.lowercased().split(separator: ",") {
            let pieces = part.split(separator: ";").map { $0.drop { $0 == " " }.prefix { $0 != " " } }
            guard let name = pieces.first else { continue }
            weights[name] = pieces.dropFirst().first.map { $0.hasPrefix("q=") ? Double($0.dropFirst(2)) ?? 0 : 0 } ?? 1
        }
        return weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? 0 > 0
    }
}

/// Compresses what is written, and writes it on.
private struct CompressedWriter: ResponseBodyWriter {
    var base: any ResponseBodyWriter
    let stream: GzipStream
    let threads: WorkerThreads

    mutating func write(_ buffer: ByteBuffer) async throws {
        let stream = stream
        let bytes = try await threads.run { try stream.compress(buffer) }
        if bytes.readableBytes > 0 { try await base.write(bytes) }
    }

    consuming func finish(_ trailers: HTTPFields?) async throws {
        var base = base
        try await base.write(stream.compress(ByteBuffer(), isLast: true))
        try await base.finish(trailers)
    }
}
