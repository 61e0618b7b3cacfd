import Foundation

/// What the server measures of itself.
struct ServerMetrics: Sendable {
    private let registry = PrometheusRegistry()
    private let start = Date()

    /// A request has come.
    func began() { registry.add("triptych_requests_in_flight", "Requests being answered.", 1) }

    /// A request has been answered or given up.
    func ended() { registry.add("triptych_requests_in_flight", "Requests being answered.", -1) }

    /// A request has been answered.
    func answered(method: String, route: String, status: Int, seconds: Double) {
        let labels = [("method", method), ("route", route)]
        registry.count(
            "triptych_requests_total", "Requests answered.", labels + [("status", "\(status)")])
        registry.observe("triptych_request_seconds", "Time from a request's head to its answer.", labels, seconds)
    }

    /// A triple has been encoded.
    func encoded(seconds: Double) {
        registry.observe("triptych_encode_seconds", "Time to encode a triple, waiting included.", [], seconds)
    }

    /// A sighting has been enrolled.
    func enrolled() { registry.count("triptych_enrolments_total", "Sightings enrolled.") }

    /// A query has been answered.
    func queried(seconds: Double, isUnknown: Bool) {
        registry.observe("triptych_search_seconds", "Time to search a gallery.", [], seconds)
        registry.count("triptych_queries_total", "Queries answered.", [("unknown", "\(isUnknown)")])
    }

    /// Everything in Prometheus's text format.
    func exposition(sightings: Int, model: String) -> String {
        registry.set("triptych_sightings", "Sightings in all galleries.", to: Double(sightings))
        registry.set("triptych_model_info", "The active model.", [("model", model)], to: 1)
        registry.set("process_uptime_seconds", "Time since the server's start.", to: -start.timeIntervalSinceNow)
        if let resident = Self.residentBytes {
            registry.set("process_resident_memory_bytes", "Memory in use.", to: Double(resident))
        }
        return registry.exposition
    }

    /// From /proc; nil on systems without it.
    private static var residentBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map {
            $0 * Int(sysconf(Int32(_SC_PAGESIZE)))
        }
    }
}
