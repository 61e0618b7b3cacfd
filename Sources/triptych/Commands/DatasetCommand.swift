import ArgumentParser
import Foundation
import Training

/// `triptych dataset`.
struct DatasetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Looks at data sets as they are published, and makes multi-modal ones of RGB.",
        subcommands: [DatasetCheckCommand.self, DatasetSheetCommand.self, DatasetDeriveCommand.self])
}

/// The data set that is looked at.
struct DatasetArgument: ParsableArguments {
    @Argument(help: "The data set's folder, or a list of images, a .csv file.")
    var folder: String
    @OptionGroup var layout: LayoutOptions

    /// Throws `DatasetError`.
    func open() throws -> TriplesDataset { try layout.open(folder) }
}

/// `triptych dataset check`.
struct DatasetCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Counts what is in a data set and names what is wrong with it.",
        discussion: """
            Errors are images that cannot be read, names that do not say who and from where, two files of one image, files \
            that a list names and that are not there, empty splits, one identity to learn from, and what is both learned \
            from and tested with: the command then ends with status 1. Sightings and splits that lack a modality, and \
            identities of the train split with one sighting or one camera, are named and no errors.
            """)

    @OptionGroup var dataset: DatasetArgument
    @Flag(help: "Decode all pixels, not the headers alone.")
    var decode = false
    @Flag(help: "Print all as JSON.")
    var json = false

    /// Problems of a kind that are printed as text.
    private static let shown = 20

    func run() async throws {
        let dataset = try dataset.open()
        let progress = Progress(decode ? "decoding" : "reading headers", unit: "files")
        let check = DatasetCheck(dataset, decoding: decode) { progress.update($0, of: $1) }
        if json { try Output.json(check) } else { show(check) }
        if !check.isUsable { throw ExitCode.failure }
    }

    private func show(_ check: DatasetCheck) {
        print("layout: \(check.layout)")
        Output.table(
            [["split", "identities", "cameras", "sightings", "rgb", "nir", "tir"]]
                + check.splits.map { split in
                    [split.split, "\(split.identities)", "\(split.cameras)", "\(split.sightings)"]
                        + ["rgb", "nir", "tir"].map { "\(split.images[$0] ?? 0)" }
                })
        for kind in DatasetProblem.Kind.allCases {
            let problems = check.problems.filter { $0.kind == kind }
            guard !problems.isEmpty else { continue }
            print("\n\(kind.isError ? "error" : "note"): \(kind.title), \(problems.count)")
            for problem in problems.prefix(Self.shown) { print("  \(problem)") }
            if problems.count > Self.shown { print("  and \(problems.count - Self.shown) more; --json has all") }
        }
        if check.problems.isEmpty { print("\nnothing is wrong") }
    }
}

extension DatasetProblem.Kind {
    /// As a heading.
    fileprivate var title: String {
        switch self {
        case .undecodable: "images that cannot be read"
        case .misnamed: "names and lines that cannot be read"
        case .unpaired: "sightings that lack a modality"
        case .missingModality: "splits that lack a modality"
        case .twice: "two files of one image"
        case .absent: "listed, and not there"
        case .singleImage: "identities with one sighting"
        case .singleCamera: "identities seen by one camera"
        case .emptySplit: "empty splits"
        case .oneIdentity: "one identity to learn from"
        case .overlap: "learned from and tested with"
        }
    }
}
