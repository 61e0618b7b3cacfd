import HTTPTypes
import Hummingbird
import Tracing

/// Gives every request its place in a trace, the client's or a new one, and times it if spans are wanted.
struct TraceMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    /// nil if nobody wants spans.
    let tracer: SpanTracer?
    /// The share of traces that are kept, of those that begin here.
    let sample: Double

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let given = request.headers[values: .traceparent]
        // Of several nobody knows which is meant.
        let trace = (given.count == 1 ? TraceContext(given[0]) : nil) ?? TraceContext(sampling: sample)
        var context = context
        context.logger[metadataKey: "trace_id"] = "\(trace.trace)"
        guard let tracer else { return try await next(request, context) }
        var place = InstrumentationContext.topLevel
        place.trace = trace
        let method = ServerMetrics.label(method: request.method.rawValue)
        let route = context.route
        let name = route == "none" ? method : "\(method) \(route)"
        return try await tracer.withSpan(name, context: place, ofKind: .server) { [context] span in
            let response = try await next(request, context)
            span.attributes["http.request.method"] = method
            if route != "none" { span.attributes["http.route"] = route }
            span.attributes["http.response.status_code"] = response.status.code
            if response.status.code >= 500 { span.setStatus(SpanStatus(code: .error)) }
            return response
        }
    }
}

extension HTTPField.Name {
    /// W3C Trace Context; the literal is a valid field name.
    static let traceparent = HTTPField.Name("traceparent") ?? .from
}
