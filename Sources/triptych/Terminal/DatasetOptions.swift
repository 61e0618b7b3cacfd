import ArgumentParser
import Foundation
import Training

/// Which data set a command reads.
struct DatasetOptions: ParsableArguments {
    @Option(help: "The data set's folder, in any of the layouts of docs/datasets.md, or a list of images, a .csv file.")
    var data: String
    @OptionGroup var layout: LayoutOptions

    /// The data set, or so many trials after the one that was asked for. Throws `DatasetError`.
    func open(trialsLater: Int = 0) throws -> TriplesDataset { try layout.open(data, trialsLater: trialsLater) }
}

/// How a data set is laid out.
struct LayoutOptions: ParsableArguments {
    @Option(help: "Insist on a layout, by name: \(DatasetLayouts.names.joined(separator: ", ")).")
    var layout: String?
    @Option(help: "Which of RegDB's ten divisions into train and test.")
    var trial = 1

    /// Throws `DatasetError`.
    func open(_ path: String, trialsLater: Int = 0) throws -> TriplesDataset {
        // What is asked for may be any number: the data set refuses it.
        try TriplesDataset(root: URL(fileURLWithPath: path), layout: layout, trial: trial &+ trialsLater)
    }
}
