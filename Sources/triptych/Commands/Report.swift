import ArgumentParser
import Foundation
import Reports
import Threads
import Training

/// `triptych report`.
struct Report: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a page about a training or pruning run.",
        discussion: """
            report.html in the run's folder is one file that asks nothing of the network: losses and rates, validation, a \
            match characteristic, distances, the best and the worst queries with what was ranked for them, a map of the \
            embeddings, where the model looks, and where it all comes from. report.json holds the figures. train and prune \
            write both at their end.

            What needs images is drawn over the identities of the train split that the run held out. --split query takes the \
            data set's queries and gallery instead: for a last look, and not to choose by.
            """)

    @Argument(help: "The run's folder.")
    var run: String
    @Option(help: "The data set, if it is not where it was when the run began.")
    var data: String?
    @OptionGroup var layout: LayoutOptions
    @Option(help: "What is ranked: held-out or query.")
    var split = RunReport.Split.heldOut

    func run() async throws {
        print(try await RunReporter(URL(fileURLWithPath: run), layout).write(data, split))
    }
}

extension RunReport.Split: ExpressibleByArgument {}

/// Writes reports, and shows how far it is.
struct RunReporter {
    private let folder: URL
    private let layout: LayoutOptions

    /// For a run's folder; the layout is that of its data set, for a run that does not say it.
    init(_ folder: URL, _ layout: LayoutOptions) { (self.folder, self.layout) = (folder, layout) }

    /// Writes a run's report and says where. Without a data set's path it looks where the run had it.
    func write(_ data: String?, _ split: RunReport.Split = .heldOut) async throws -> String {
        let (found, reason) = try data.map { (try open($0), nil) } ?? find()
        let progress = Progress("encoding for the report", unit: "sightings")
        let report = try await ComputeThread.shared.run { [folder] in
            try RunReport(folder, dataset: found, split: split, reason: reason) { event in
                if case .encoding(let done, let total) = event { progress.update(done, of: total) }
            }
        }
        return try report.write().relativePath
    }

    /// Where the run had its data, or why that is not known any more.
    private func find() throws -> (TriplesDataset?, String?) {
        guard let description = try? RunDescription(run: folder) else {
            return (nil, "The run does not say where its data set is: --data does.")
        }
        guard FileManager.default.fileExists(atPath: description.data) else {
            return (nil, "The data set is not at \(description.data) any more: --data says where it is.")
        }
        return (try open(description.data), nil)
    }

    /// A data set as the run read its own.
    private func open(_ path: String) throws -> TriplesDataset {
        let description = try? RunDescription(run: folder)
        var own = layout
        own.layout = layout.layout ?? description?.layout
        own.trial = description?.trial ?? layout.trial
        return try own.open(path)
    }

    /// The same at the end of a run, which is done whatever becomes of its report.
    func writeAfterwards(_ data: String?) async {
        do {
            FileHandle.standardError.write(Data("report: \(try await write(data))\n".utf8))
        } catch {
            FileHandle.standardError.write(Data("no report: \(error)\n".utf8))
        }
    }
}
