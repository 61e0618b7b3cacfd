import Metrics
import Serving

/// What the server counts and times, through swift-metrics. What is asked for at each scrape is in `MetricsPage`.
struct ServerMetrics: Sendable {
    private static let help = [
        "triptych_requests_in_flight": "Requests being answered.",
        "triptych_requests_total": "Requests answered.",
        "triptych_request_seconds": "Time from a request's head to its answer.",
        "triptych_problems_total": "Requests answered with a problem, by its type.",
        "triptych_decode_seconds": "Time to decode a triple's images, waiting included.",
        "triptych_encode_seconds": "Time to encode a triple or a text, waiting included.",
        "triptych_search_seconds": "Time to search a gallery, waiting included.",
        "triptych_commit_seconds": "Time to enrol until the disk has it, waiting included.",
        "triptych_encodings_total": "Triples and texts encoded, by the model.",
        "triptych_batch_triples": "Triples encoded together.",
        "triptych_batch_wait_seconds": "Time that a triple waited to be encoded.",
        "triptych_enrolments_total": "Sightings enrolled.",
        "triptych_queries_total": "Queries answered.",
        "triptych_event_streams": "Clients that follow events.",
        "triptych_events_streamed_total": "Events sent to clients that follow them.",
        "triptych_spans_exported_total": "Spans that the collector has taken.",
        "triptych_spans_dropped_total": "Spans that the collector did not take, or that came too fast.",
    ]
    /// Over HTTP/2 a method may be any word.
    private static let methods: Set = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]

    private let registry = PrometheusRegistry(
        help: Self.help, bounds: ["triptych_batch_triples": [1, 2, 3, 4, 6, 8, 16, 32, 64]])

    /// Not the process's global factory: each server of a process has its own numbers.
    private var factory: PrometheusFactory { PrometheusFactory(registry: registry) }

    /// Everything so far in Prometheus's text format.
    var exposition: String { registry.exposition }

    /// A request has come.
    func began() { add("triptych_requests_in_flight", 1) }

    /// A request has been answered or given up.
    func ended() { add("triptych_requests_in_flight", -1) }

    /// A method, as a label.
    static func label(method: String) -> String { methods.contains(method) ? method : "other" }

    /// A request has been answered; without a duration, before anyone looked at more than its head.
    func answered(method: String, route: String, status: Int, after duration: Duration?) {
        let labels = [("method", Self.label(method: method)), ("route", route)]
        count("triptych_requests_total", labels + [("status", "\(status)")])
        if let duration { observe("triptych_request_seconds", labels, duration) }
    }

    /// An answer was a problem of this type, one of the server's own.
    func problem(_ type: String) { count("triptych_problems_total", [("type", type)]) }

    /// To be told what serving does.
    var observer: ServingObserver {
        var observer = ServingObserver()
        observer.timed = { stage, start, end in
            observe("triptych_\(stage.rawValue)_seconds", [], start.duration(to: end))
        }
        observer.encoded = { model in count("triptych_encodings_total", [("model", model)]) }
        observer.batched = batched
        return observer
    }

    @Sendable private func batched(_ waits: [Duration]) {
        Recorder(label: "triptych_batch_triples", factory: factory).record(waits.count)
        for wait in waits { observe("triptych_batch_wait_seconds", [], wait) }
    }

    /// A sighting has been enrolled.
    func enrolled() { count("triptych_enrolments_total") }

    /// A query has been answered.
    func queried(isUnknown: Bool) { count("triptych_queries_total", [("unknown", "\(isUnknown)")]) }

    /// A client follows events from now on, or, for -1, no longer.
    func following(_ change: Double) { add("triptych_event_streams", change) }

    /// Events have been sent to a client.
    func streamed(_ events: Int) { count("triptych_events_streamed_total", by: events) }

    /// What has become of spans.
    func spans(exported: Int = 0, dropped: Int = 0) {
        if exported > 0 { count("triptych_spans_exported_total", by: exported) }
        if dropped > 0 { count("triptych_spans_dropped_total", by: dropped) }
    }

    private func count(_ name: String, _ labels: [(String, String)] = [], by amount: Int = 1) {
        Counter(label: name, dimensions: labels, factory: factory).increment(by: amount)
    }

    private func add(_ name: String, _ amount: Double) {
        Meter(label: name, factory: factory).increment(by: amount)
    }

    private func observe(_ name: String, _ labels: [(String, String)], _ duration: Duration) {
        Timer(label: name, dimensions: labels, factory: factory).record(duration: duration)
    }
}
