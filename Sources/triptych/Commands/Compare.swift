import ArgumentParser
import Foundation
import Reports
import Threads
import Training

/// `triptych compare`.
struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Puts training runs side by side.",
        discussion: """
            Runs of the same recipe, data and beginning are one group, of which the seeds give a mean and a spread. Groups are \
            told apart by what differs in their recipes. Beside the first group stands how far the mean mAP of another is above \
            it, with Welch's interval of 95 %; where that holds 0 the difference is within the spread over seeds, and of one \
            seed nothing can be said.

            Figures are those of the best validation on held-out identities; with --data those of the models on a data set's \
            queries and gallery. A sweep's folder stands for its trials, as far as they are.
            """)

    @Argument(help: "Run folders, or sweeps'.")
    var runs: [String]
    @Option(help: "Rank the queries and gallery of this data set with each model.")
    var data: String?
    @OptionGroup var layout: LayoutOptions
    @Flag(help: "The group with the highest mean mAP first, so that others are beside it.")
    var bestFirst = false
    @Option(help: "Write a page too: an .html file.")
    var output: String?
    @Flag(help: "Print the figures as JSON.")
    var json = false

    func run() async throws {
        let runs = try RunComparison.runs(at: runs.map { URL(fileURLWithPath: $0) })
        var measured: (of: String, metrics: [RetrievalMetrics])?
        if let data {
            let dataset = try layout.open(data)
            let progress = Progress("ranking", unit: "models")
            measured = try await ComputeThread.shared.run {
                try RunComparison.measure(runs, on: dataset) { progress.update($0, of: $1) }
            }
        }
        let table = RunComparisonTable(RunComparison(runs, measured: measured, bestFirst: bestFirst))
        if let output { try table.write(runs, title: "Comparison", to: URL(fileURLWithPath: output)) }
        if json { return print(try table.json(), terminator: "") }
        Output.comparison(table)
        if let output { print(output) }
    }
}

extension Output {
    /// Prints groups of runs side by side, what differs, and what a reader has to know.
    static func comparison(_ comparison: RunComparisonTable) {
        table(comparison.rows)
        if !comparison.settings.isEmpty {
            print()
            table(comparison.settings)
        }
        print(comparison.notes.joined(separator: "\n"))
    }
}
