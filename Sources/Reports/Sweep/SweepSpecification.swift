import Documents
import Foundation
import Randomness

/// What a sweep tries: which settings of a recipe, over which values, with which seeds. A YAML file.
public struct SweepSpecification: Sendable, Equatable {
    /// How the ranges are gone through.
    public enum Search: String, CaseIterable, Sendable {
        /// Every combination.
        case grid
        /// So many combinations at random (Bergstra and Bengio, 2012).
        case random
    }

    /// One training.
    public struct Trial: Sendable, Equatable {
        /// Its folder's name.
        public let name: String
        /// The combination's number, from 0.
        public let combination: Int
        /// Changes to the recipe, as `--set` takes them.
        public let settings: [String]
        /// Of everything random.
        public let seed: UInt64
    }

    private static let mostTrials = 10_000

    /// All trainings, a combination's seeds one after the other.
    public let trials: [Trial]

    /// Reads a file. Throws `DocumentError` for what is refused, or `FileError`-like text of a file that cannot be read.
    public init(yaml: String) throws(DocumentError) {
        var root = try Fields(try YAMLDocument.parse(yaml))
        let search = try root.read("search", FieldKind<Search>.choice) ?? .grid
        let seeds = try root.read("seeds", .integers(0...Int.max)) ?? [1]
        guard !seeds.isEmpty, Set(seeds).count == seeds.count else {
            throw root.invalid("seeds", "at least one, none twice", root.value("seeds"))
        }
        var parameters = try root.requireObject("parameters")
        var ranges: [SearchRange] = []
        for path in parameters.keys {
            ranges.append(try SearchRange(path, in: &parameters, isGrid: search == .grid))
        }
        guard !ranges.isEmpty else { throw root.invalid("parameters", "at least one setting", .object([:])) }
        try parameters.finish()
        let combinations: [[JSONValue]]
        switch search {
        case .grid:
            let count = ranges.reduce(1.0) { $0 * Double($1.grid.count) }
            guard count * Double(seeds.count) <= Double(Self.mostTrials) else {
                throw root.invalid(
                    "parameters", "at most \(Self.mostTrials) trials", .number(count * Double(seeds.count)))
            }
            combinations = Self.products(ranges)
        case .random:
            let most = max(Self.mostTrials / seeds.count, 1)
            let count = try root.require("trials", .integer(1...most))
            let seed = UInt64(try root.integer("seed", 0...Int.max) ?? 1)
            combinations = (0..<count).map { index in
                var generator = SplitMix64(seed: seed, stream: UInt64(index))
                return ranges.map { $0.draw(&generator) }
            }
        }
        try root.finish()
        trials = try Self.trials(ranges, combinations, seeds)
    }

    /// The last setting changes fastest.
    private static func products(_ ranges: [SearchRange]) -> [[JSONValue]] {
        ranges.reduce([[]]) { rows, range in rows.flatMap { row in range.grid.map { row + [$0] } } }
    }

    private static func trials(
        _ ranges: [SearchRange], _ combinations: [[JSONValue]], _ seeds: [Int]
    ) throws(DocumentError) -> [Trial] {
        var trials: [Trial] = []
        let digits = max(String(combinations.count - 1).count, 2)
        for (index, values) in combinations.enumerated() {
            var settings: [String] = []
            for (range, value) in zip(ranges, values) { settings.append("\(range.path)=\(try text(value))") }
            let number = String(repeating: "0", count: digits - String(index).count) + String(index)
            for seed in seeds {
                trials.append(
                    Trial(name: "\(number)-seed\(seed)", combination: index, settings: settings, seed: UInt64(seed)))
            }
        }
        return trials
    }

    /// A value as YAML in one line.
    private static func text(_ value: JSONValue) throws(DocumentError) -> String {
        do {
            // YAML 1.1 wants a point before an exponent.
            if case .number(let number) = value {
                return "\(number)".replacing(/^(-?\d+)e/, with: { "\($0.output.1).0e" })
            }
            return try value.canonicalText()
        } catch {
            throw .syntax(.yaml, "\(error)")
        }
    }
}
