import Documents
import Foundation
import FoundationNetworking
import Logging
import ServiceLifecycle
import Tracing

/// Sends spans to a collector, as OTLP over HTTP in JSON (opentelemetry-proto 1.3), beside the requests: they never wait for it.
struct SpanExporter: ServiceLifecycle.Service {
    /// Spans of one request to the collector.
    private static let most = 512
    private static let pause = Duration.seconds(1)

    private let url: URL
    private let queue: SpanQueue
    private let metrics: ServerMetrics
    private let logger: Logger
    private let session: URLSession

    /// nil if the endpoint is no URL, which the configuration has checked.
    init?(_ configuration: ServerConfiguration.Tracing, _ queue: SpanQueue, _ metrics: ServerMetrics, _ logger: Logger)
    {
        guard let url = URL(string: configuration.endpoint) else { return nil }
        (self.url, self.queue, self.metrics, self.logger) = (url, queue, metrics, logger)
        let settings = URLSessionConfiguration.ephemeral
        settings.timeoutIntervalForRequest = 5
        session = URLSession(configuration: settings)
    }

    /// Until the server ends; then sends what is left, once.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            var isTold = false
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.pause)
                let problem = await exportAll()
                // Once, until it works again.
                if let problem, !isTold, !Task.isCancelled {
                    logger.warning("the collector takes no spans", metadata: ["error": "\(problem)"])
                }
                isTold = problem != nil
            }
        }
        _ = await exportAll()
        session.invalidateAndCancel()
    }

    /// - Returns: what went wrong, in which case the spans of that request are dropped.
    private func exportAll() async -> String? {
        while case let spans = queue.take(Self.most), !spans.isEmpty {
            let problem = await export(spans)
            metrics.spans(exported: problem == nil ? spans.count : 0, dropped: problem == nil ? 0 : spans.count)
            if let problem { return problem }
        }
        return nil
    }

    private func export(_ spans: [RequestSpan.Record]) async -> String? {
        do {
            var request = URLRequest(url: url)
            request.httpMethod = "POST"
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = try JSONEncoder().encode(Self.document(spans))
            let status = (try await session.data(for: request).1 as? HTTPURLResponse)?.statusCode ?? 0
            return (200..<300).contains(status) ? nil : "status \(status)"
        } catch {
            return error.localizedDescription
        }
    }

    private static func document(_ spans: [RequestSpan.Record]) -> JSONValue {
        let resource = [attribute("service.name", "triptych"), attribute("service.version", TriptychServer.version)]
        let scope: JSONValue = .object([
            "scope": .object(["name": .string("triptych")]), "spans": .array(spans.map(json)),
        ])
        return .object([
            "resourceSpans": .array([
                .object(["resource": .object(["attributes": .array(resource)]), "scopeSpans": .array([scope])])
            ])
        ])
    }

    private static func json(_ span: RequestSpan.Record) -> JSONValue {
        var attributes: [JSONValue] = []
        span.attributes.forEach { name, value in
            switch value {
            case .string(let text): attributes.append(attribute(name, text))
            case .int64(let number):
                attributes.append(
                    .object(["key": .string(name), "value": .object(["intValue": .string("\(number)")])]))
            default: break
            }
        }
        var fields: [String: JSONValue] = [
            "traceId": .string(span.place.trace), "spanId": .string(span.place.span ?? ""), "name": .string(span.name),
            // SPAN_KIND_SERVER, SPAN_KIND_INTERNAL.
            "kind": .integer(span.isServer ? 2 : 1), "startTimeUnixNano": .string("\(span.start)"),
            "endTimeUnixNano": .string("\(span.end)"), "attributes": .array(attributes),
        ]
        if let parent = span.parent { fields["parentSpanId"] = .string(parent) }
        if span.hasFailed { fields["status"] = .object(["code": .integer(2)]) }
        return .object(fields)
    }

    private static func attribute(_ name: String, _ text: String) -> JSONValue {
        .object(["key": .string(name), "value": .object(["stringValue": .string(text)])])
    }
}
