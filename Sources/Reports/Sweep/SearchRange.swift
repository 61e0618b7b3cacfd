import Documents
import Foundation
import Randomness

/// What one setting of a recipe may be in a sweep.
struct SearchRange: Sendable, Equatable {
    /// Values one after the other, or numbers between two.
    enum Values: Sendable, Equatable {
        case list([JSONValue])
        /// - Parameters:
        ///   - isLogarithmic: whether equal factors, rather than equal differences, are equally far apart.
        ///   - isWhole: whether they are whole numbers.
        ///   - points: of a grid, both ends among them; nil where a grid was not asked for.
        case between(Double, Double, isLogarithmic: Bool, isWhole: Bool, points: Int?)
    }

    private enum Scale: String, CaseIterable {
        case linear, log
    }

    /// The setting's path, such as `stages.0.learning_rate`.
    let path: String
    /// What it may be.
    let values: Values

    /// Reads the member of `parameters` at a path of the recipe.
    ///
    /// - Parameter isGrid: whether a range needs `points`. Throws `DocumentError`.
    init(_ path: String, in parameters: inout Fields, isGrid: Bool) throws(DocumentError) {
        self.path = path
        if let list = parameters.value(path)?.array {
            guard !list.isEmpty else { throw parameters.invalid(path, "at least one value", .array([])) }
            values = .list(list)
            return
        }
        guard parameters.value(path)?.object != nil else {
            throw parameters.invalid(path, "a list of values, or {from: …, to: …}", parameters.value(path))
        }
        var range = try parameters.requireObject(path)
        let (low, high) = (try range.require("from", .number), try range.require("to", .number))
        guard low < high else { throw range.invalid("to", "more than from, \(low)", .number(high)) }
        let isLogarithmic = try range.read("scale", FieldKind<Scale>.choice) == .log
        if isLogarithmic, low <= 0 { throw range.invalid("from", "more than 0 on a scale of log", .number(low)) }
        let isWhole = try range.bool("whole") ?? false
        if isWhole, low != low.rounded() || high != high.rounded() {
            throw range.invalid("whole", "whole numbers as from and to", .bool(true))
        }
        let points = try range.integer("points", 2...1000)
        if isGrid, points == nil { throw range.invalid("points", "how many values of a grid", nil) }
        if !isGrid, let points { throw range.invalid("points", "none in a random search", .integer(points)) }
        try range.finish()
        values = .between(low, high, isLogarithmic: isLogarithmic, isWhole: isWhole, points: points)
    }

    /// All values of a grid, each once.
    var grid: [JSONValue] {
        switch values {
        case .list(let list): return list
        case .between(_, _, _, _, let points):
            let count = points ?? 2
            return (0..<count).map { value(at: Double($0) / Double(count - 1)) }.reduce(into: []) { unique, value in
                if !unique.contains(value) { unique.append(value) }
            }
        }
    }

    /// One value, each as likely.
    func draw(_ generator: inout SplitMix64) -> JSONValue {
        if case .list(let list) = values { return list[generator.index(below: list.count)] }
        return value(at: Double(generator.next() >> 11) * 0x1p-53)
    }

    /// The value at a share of the way, to four digits.
    private func value(at share: Double) -> JSONValue {
        guard case .between(let low, let high, let isLogarithmic, let isWhole, _) = values else { return .null }
        let value = isLogarithmic ? low * pow(high / low, share) : low + (high - low) * share
        if isWhole { return .integer(Int(min(max(value.rounded(), low), high))) }
        let rounded = Double(String(format: "%.4g", value)) ?? value
        return .number(min(max(rounded, low), high))
    }
}
