import CoreMetrics

/// The backend of swift-metrics that keeps everything in a `PrometheusRegistry`.
package struct PrometheusFactory: MetricsFactory {
    let registry: PrometheusRegistry

    package init(registry: PrometheusRegistry) { self.registry = registry }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Series(registry: registry, name: label, labels: dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        Series(registry: registry, name: label, labels: dimensions)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        Series(registry: registry, name: label, labels: dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Series(registry: registry, name: label, labels: dimensions)
    }

    // What was counted stays: a counter that vanished would look like a restart.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

/// One combination of labels of one metric. A class because swift-metrics' handlers are; it holds no state of its own.
private final class Series: CounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private let registry: PrometheusRegistry
    private let name: String
    private let labels: PrometheusRegistry.Labels

    init(registry: PrometheusRegistry, name: String, labels: PrometheusRegistry.Labels) {
        self.registry = registry
        self.name = name
        self.labels = labels
    }

    func increment(by amount: Int64) { registry.count(name, labels, by: Double(amount)) }
    func reset() { registry.remove(name, labels) }

    func set(_ value: Int64) { registry.set(name, labels, to: Double(value)) }
    func set(_ value: Double) { registry.set(name, labels, to: value) }
    func increment(by amount: Double) { registry.add(name, labels, amount) }
    func decrement(by amount: Double) { registry.add(name, labels, -amount) }

    func record(_ value: Int64) { registry.observe(name, labels, Double(value)) }
    func record(_ value: Double) { registry.observe(name, labels, value) }

    func recordNanoseconds(_ duration: Int64) { registry.observe(name, labels, Double(duration) / 1e9) }
}
