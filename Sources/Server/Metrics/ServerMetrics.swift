import Foundation
import Metrics
import Serving

/// What the server measures of itself, through swift-metrics.
struct ServerMetrics: Sendable {
    private static let help = [
        "triptych_requests_in_flight": "Requests being answered.",
        "triptych_requests_total": "Requests answered.",
        "triptych_request_seconds": "Time from a request's head to its answer.",
        "triptych_encode_seconds": "Time to encode a triple, waiting included.",
        "triptych_batch_triples": "Triples encoded together.",
        "triptych_batch_wait_seconds": "Time that a triple waited to be encoded.",
        "triptych_enrolments_total": "Sightings enrolled.",
        "triptych_search_seconds": "Time to search a gallery.",
        "triptych_queries_total": "Queries answered.",
        "triptych_sightings": "Sightings in all galleries.",
        "triptych_model_info": "1 for the active model.",
        "process_uptime_seconds": "Time since the server's start.",
        "process_resident_memory_bytes": "Memory in use.",
    ]

    private let registry = PrometheusRegistry(
        help: Self.help, bounds: ["triptych_batch_triples": [1, 2, 3, 4, 6, 8, 16, 32, 64]])
    private let start = Date()

    /// Not the process's global factory: each server of a process has its own numbers.
    private var factory: PrometheusFactory { PrometheusFactory(registry: registry) }

    /// A request has come.
    func began() { Meter(label: "triptych_requests_in_flight", factory: factory).increment() }

    /// A request has been answered or given up.
    func ended() { Meter(label: "triptych_requests_in_flight", factory: factory).decrement() }

    /// A request has been answered.
    func answered(method: String, route: String, status: Int, after duration: Duration) {
        let labels = [("method", method), ("route", route)]
        Counter(
            label: "triptych_requests_total", dimensions: labels + [("status", "\(status)")], factory: factory
        ).increment()
        observe("triptych_request_seconds", labels, duration)
    }

    /// To be told what serving does.
    var observer: ServingObserver {
        var observer = ServingObserver()
        observer.encoded = { duration in observe("triptych_encode_seconds", [], duration) }
        observer.batched = batched
        return observer
    }

    @Sendable private func batched(_ waits: [Duration]) {
        Recorder(label: "triptych_batch_triples", factory: factory).record(waits.count)
        for wait in waits { observe("triptych_batch_wait_seconds", [], wait) }
    }

    /// A sighting has been enrolled.
    func enrolled() { Counter(label: "triptych_enrolments_total", factory: factory).increment() }

    /// A query has been answered.
    func queried(in duration: Duration, isUnknown: Bool) {
        observe("triptych_search_seconds", [], duration)
        Counter(label: "triptych_queries_total", dimensions: [("unknown", "\(isUnknown)")], factory: factory)
            .increment()
    }

    private func observe(_ name: String, _ labels: [(String, String)], _ duration: Duration) {
        Timer(label: name, dimensions: labels, factory: factory).record(duration: duration)
    }

    /// Everything in Prometheus's text format.
    ///
    /// - Parameters:
    ///   - sightings: in all galleries.
    ///   - active: the model that answers.
    ///   - others: models that answered before, or may.
    func exposition(sightings: Int, active: String, others: [String]) -> String {
        set("triptych_sightings", Double(sightings))
        for other in others { set("triptych_model_info", 0, [("model", other)]) }
        set("triptych_model_info", 1, [("model", active)])
        set("process_uptime_seconds", -start.timeIntervalSinceNow)
        if let resident = MemoryBudget.residentBytes { set("process_resident_memory_bytes", Double(resident)) }
        return registry.exposition
    }

    private func set(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        Meter(label: name, dimensions: labels, factory: factory).set(value)
    }
}
