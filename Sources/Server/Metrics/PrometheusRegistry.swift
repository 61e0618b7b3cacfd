import Synchronization

/// Metrics in memory, written as Prometheus's text format 0.0.4.
///
/// Each name has at most `mostSeries` combinations of labels; what comes after them is dropped, so that no client can make
/// the server grow.
package final class PrometheusRegistry: Sendable {
    /// Label names and values, in order.
    package typealias Labels = [(name: String, value: String)]

    private enum Kind: String {
        case counter, gauge, histogram
    }

    private struct Histogram {
        var counts: [Int]
        var sum = 0.0
        var count = 0
    }

    private struct Family {
        let kind: Kind
        var values: [String: Double] = [:]
        var histograms: [String: Histogram] = [:]

        mutating func update(_ key: String, _ change: (inout Family, String) -> Void) {
            let isKnown = values[key] != nil || histograms[key] != nil
            guard isKnown || values.count + histograms.count < PrometheusRegistry.mostSeries else { return }
            change(&self, key)
        }
    }

    package static let mostSeries = 1000
    /// Upper bounds of a histogram's buckets, in seconds, unless it has its own. They reach `request_seconds`.
    private static let seconds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
    ]

    private let help: [String: String]
    private let bounds: [String: [Double]]
    private let families = Mutex<[String: Family]>([:])

    /// A registry.
    ///
    /// - Parameters:
    ///   - help: a line for each name that it expects.
    ///   - bounds: upper bounds of the buckets of histograms that do not count seconds, rising.
    package init(help: [String: String] = [:], bounds: [String: [Double]] = [:]) {
        (self.help, self.bounds) = (help, bounds)
    }

    /// Adds to a counter.
    package func count(_ name: String, _ labels: Labels = [], by amount: Double = 1) {
        update(name, .counter, labels) { family, key in family.values[key, default: 0] += amount }
    }

    /// Sets a gauge.
    package func set(_ name: String, _ labels: Labels = [], to value: Double) {
        update(name, .gauge, labels) { family, key in family.values[key] = value }
    }

    /// Adds to a gauge.
    package func add(_ name: String, _ labels: Labels = [], _ amount: Double) {
        update(name, .gauge, labels) { family, key in family.values[key, default: 0] += amount }
    }

    /// Adds an observation, in seconds or in what the histogram's own bounds are in.
    package func observe(_ name: String, _ labels: Labels = [], _ value: Double) {
        let bounds = buckets(name)
        update(name, .histogram, labels) { family, key in
            var histogram = family.histograms[key] ?? Histogram(counts: [Int](repeating: 0, count: bounds.count))
            for (index, bound) in bounds.enumerated() where value <= bound { histogram.counts[index] += 1 }
            histogram.sum += value
            histogram.count += 1
            family.histograms[key] = histogram
        }
    }

    private func buckets(_ name: String) -> [Double] { bounds[name] ?? Self.seconds }

    /// Forgets one combination of labels.
    package func remove(_ name: String, _ labels: Labels = []) {
        let key = Self.text(labels)
        families.withLock { families in
            families[name]?.values[key] = nil
            families[name]?.histograms[key] = nil
        }
    }

    private func update(
        _ name: String, _ kind: Kind, _ labels: Labels, _ change: (inout Family, String) -> Void
    ) {
        let key = Self.text(labels)
        families.withLock { families in
            // In place: a family that were taken out and put back would be copied each time.
            families[name, default: Family(kind: kind)].update(key, change)
        }
    }

    /// Everything, by name.
    package var exposition: String {
        families.withLock { families in
            families.sorted { $0.key < $1.key }.map { name, family in
                let series =
                    family.values.sorted { $0.key < $1.key }.map { "\(name)\(Self.braced($0.key)) \($0.value)\n" }
                    + family.histograms.sorted { $0.key < $1.key }.map { lines(name, $0.key, $0.value) }
                let about = help[name].map { "# HELP \(name) \($0)\n" } ?? ""
                return about + "# TYPE \(name) \(family.kind.rawValue)\n" + series.joined()
            }.joined()
        }
    }

    private func lines(_ name: String, _ labels: String, _ histogram: Histogram) -> String {
        let prefix = labels.isEmpty ? "" : labels + ","
        let counts = zip(buckets(name), histogram.counts).map { bound, count in
            "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(count)\n"
        }
        return counts.joined() + "\(name)_bucket{\(prefix)le=\"+Inf\"} \(histogram.count)\n"
            + "\(name)_sum\(Self.braced(labels)) \(histogram.sum)\n\(name)_count\(Self.braced(labels)) \(histogram.count)\n"
    }

    private static func braced(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }

    private static func text(_ labels: Labels) -> String {
        labels.map { name, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\(name)=\"\(escaped)\""
        }.joined(separator: ",")
    }
}
