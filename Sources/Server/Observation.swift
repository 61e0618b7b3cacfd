import Hummingbird
import Logging
import Serving

/// What is seen of the server from outside: metrics, the log of requests, traces. One for each server, in one place.
struct Observation: Sendable {
    let metrics = ServerMetrics()
    /// nil if spans go nowhere.
    let exporter: SpanExporter?
    private let tracer: SpanTracer?
    private let configuration: ServerConfiguration
    private let logger: Logger

    init(_ configuration: ServerConfiguration, _ logger: Logger) {
        (self.configuration, self.logger) = (configuration, logger)
        let queue = SpanQueue(metrics)
        tracer = configuration.tracing.map { _ in SpanTracer(queue: queue) }
        exporter = configuration.tracing.flatMap { [metrics] in SpanExporter($0, queue, metrics, logger) }
    }

    /// To be told what serving does.
    var observer: ServingObserver {
        var observer = metrics.observer
        if let tracer {
            observer.timed = { [timed = observer.timed] stage, start, end in
                timed(stage, start, end)
                tracer.record(stage.rawValue, start, end)
            }
        }
        return observer
    }

    /// Adds what sees every request, and its answer as the client gets it.
    func add(to router: Router<ServerContext>) {
        router.add(middleware: TraceMiddleware(tracer: tracer, sample: configuration.tracing?.sample ?? 0))
        if configuration.log.access { router.add(middleware: AccessLogMiddleware()) }
        router.add(middleware: MetricsMiddleware(metrics: metrics))
    }

    /// To be told of requests that come no further than their heads.
    var refused: Connection.Refused {
        { [metrics, logger, isLogged = configuration.log.access] method, status, identifier in
            let method = method?.rawValue ?? "none"
            metrics.answered(method: method, route: "none", status: status.code, after: nil)
            guard isLogged else { return }
            logger.info(
                "request",
                metadata: [
                    "method": "\(ServerMetrics.label(method: method))", "route": "none",
                    "status": .stringConvertible(status.code), "request_id": "\(identifier)",
                ])
        }
    }
}
