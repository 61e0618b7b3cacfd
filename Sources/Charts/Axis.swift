import Foundation

/// A linear or logarithmic scale with round ticks.
public struct Axis: Sendable {
    /// How values are spread.
    public enum Scale: Sendable {
        case linear, logarithmic
    }

    /// In rising order.
    public let ticks: [Double]
    /// Where the scale ends: at the first and the last tick, or half a place beyond names.
    public let ends: (low: Double, high: Double)
    private let step: Double
    private let names: [String]
    private let scale: Scale

    /// A scale that shows all values.
    ///
    /// - Parameters:
    ///   - values: finite; for a logarithmic scale those above 0 count.
    ///   - isFromZero: whether a linear one begins at 0 instead of below the least value.
    ///   - hasRoom: whether a linear one leaves room above the highest value.
    ///   - scale: linear unless given.
    public init(_ values: [Double], isFromZero: Bool, hasRoom: Bool = true, scale: Scale = .linear) {
        let values = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
        (self.scale, names) = (scale, [])
        switch scale {
        case .linear: (ticks, step) = Self.linear(values, isFromZero, hasRoom)
        case .logarithmic: (ticks, step) = (Self.powers(values), 1)
        }
        ends = (ticks[0], ticks[ticks.count - 1])
    }

    /// A linear scale with given ticks, at least two, evenly apart.
    public init(ticks: [Double]) {
        precondition(ticks.count > 1, "an axis of \(ticks.count) ticks")
        (self.ticks, scale, step, names) = (ticks, .linear, ticks[1] - ticks[0], [])
        ends = (ticks[0], ticks[ticks.count - 1])
    }

    /// Names side by side, at 0, 1, 2 and so on; at least one.
    public init(names: [String]) {
        (ticks, scale, step, self.names) = (names.indices.map(Double.init), .linear, 1, names)
        ends = (-0.5, Double(names.count) - 0.5)
    }

    private static func linear(_ values: [Double], _ isFromZero: Bool, _ hasRoom: Bool) -> ([Double], Double) {
        let least = isFromZero ? 0 : values.min() ?? 0
        let most = values.max() ?? 1
        // About five steps of 1, 2 or 5 times a power of ten.
        let rough = max(most - least, 1e-6) / 5
        let power = Foundation.pow(10, Foundation.log10(rough).rounded(.down))
        let step = ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power
        let first = (least / step - (isFromZero ? 0 : 0.25)).rounded(.down)
        // Room for a label above the highest point.
        let last = max((most / step + (hasRoom ? 0.25 : -1e-9)).rounded(.up), first + 1)
        return (stride(from: first, through: last, by: 1).map { $0 * step }, step)
    }

    /// Steps between powers of ten, at most.
    private static let most = 7

    private static func powers(_ values: [Double]) -> [Double] {
        let (least, most) = (values.min() ?? 1, values.max() ?? 10)
        let first = Int(Foundation.log10(least).rounded(.down))
        let last = max(Int(Foundation.log10(most).rounded(.up)), first + 1)
        // Of many powers some, as evenly apart, whose labels have room.
        let stride = (last - first + Self.most - 1) / Self.most
        return (0...((last - first + stride - 1) / stride)).map { Foundation.pow(10, Double(first + $0 * stride)) }
    }

    /// Where a value is: 0 at the lower end, 1 at the upper.
    public func share(_ value: Double) -> Double {
        let place = { (value: Double) in
            scale == .linear ? value : Foundation.log10(max(value, .leastNormalMagnitude))
        }
        let (first, last) = (place(ends.low), place(ends.high))
        return (place(value) - first) / max(last - first, 1e-12)
    }

    /// A tick as it is labelled.
    public func text(_ tick: Double) -> String {
        if !names.isEmpty { return names.indices.contains(Int(tick)) ? names[Int(tick)] : "" }
        if scale == .logarithmic {
            let power = Int(Foundation.log10(tick).rounded())
            return (-3...3).contains(power) ? String(format: "%.\(max(0, -power))f", tick) : "1e\(power)"
        }
        if abs(tick) >= 10_000, step >= 1000 { return String(format: "%.0fk", tick / 1000) }
        if step < 1e-4 { return tick == 0 ? "0" : String(format: "%.1e", tick) }
        return String(format: "%.\(max(0, Int(-Foundation.log10(step).rounded(.down))))f", tick)
    }
}
