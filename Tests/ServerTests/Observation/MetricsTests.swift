import CoreMetrics
import Server
import Testing

@Suite("Metrics")
struct MetricsTests {
    @Test("what swift-metrics is told is written in Prometheus's text format")
    func exposition() {
        let registry = PrometheusRegistry(help: ["c_total": "Counted."])
        let factory = PrometheusFactory(registry: registry)
        let counter = Counter(label: "c_total", dimensions: [("path", "a\"b\\c\nd")], factory: factory)
        counter.increment(by: 2)
        counter.increment()
        Timer(label: "t_seconds", factory: factory).recordNanoseconds(30_000_000)
        let meter = Meter(label: "m", factory: factory)
        meter.set(2.5)
        meter.decrement()
        let text = registry.exposition
        #expect(text.hasPrefix("# HELP c_total Counted.\n# TYPE c_total counter\n"))
        #expect(text.contains(#"c_total{path="a\"b\\c\nd"} 3.0"#))
        #expect(text.contains("# TYPE m gauge\nm 1.5\n"))
        #expect(text.contains("t_seconds_bucket{le=\"0.025\"} 0\nt_seconds_bucket{le=\"0.05\"} 1\n"))
        #expect(text.contains("t_seconds_bucket{le=\"+Inf\"} 1\nt_seconds_sum 0.03\nt_seconds_count 1\n"))
    }

    @Test("a histogram of other things than seconds has its own buckets")
    func buckets() {
        let registry = PrometheusRegistry(bounds: ["n": [1, 8]])
        for count in [1, 3, 9] { registry.observe("n", [], Double(count)) }
        #expect(
            registry.exposition == """
                # TYPE n histogram
                n_bucket{le="1.0"} 1
                n_bucket{le="8.0"} 2
                n_bucket{le="+Inf"} 3
                n_sum 13.0
                n_count 3

                """)
    }

    @Test("no number of labels makes it grow without bound")
    func bound() {
        let registry = PrometheusRegistry()
        for label in 0..<(2 * PrometheusRegistry.mostSeries) { registry.count("c", [("id", "\(label)")]) }
        #expect(registry.exposition.split(separator: "\n").count == PrometheusRegistry.mostSeries + 1)
    }
}
