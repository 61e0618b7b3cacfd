import Imaging
import Inference

/// Why a data set cannot be used.
public enum DatasetError: Error, Sendable, CustomStringConvertible {
    /// No such folder.
    case missing(String)
    /// Nothing that is known; the layouts' names with what each would have.
    case unrecognised(String, [String])
    /// More than one layout fits.
    case ambiguous(String, [String])
    /// No layout of that name.
    case unknownLayout(String, [String])
    /// A trial that there is not.
    case noSuchTrial(Int, layout: String)
    /// A layout without a split for validation; those with one.
    case noValidation(String, layout: String, [String])
    /// A folder without what it should hold.
    case empty(String, String)
    /// Files or lists with something wrong.
    case broken([DatasetProblem])
    /// A file that is not an image.
    case unreadableImage(String, ImagingError)
    /// A file that does not show so many images of equal width.
    case uncuttable(String, tiles: Int, width: Int)
    /// A sighting, by one of its files, that shows none of the modalities that are asked for.
    case unseen(String, expected: [String], found: [String])
    /// A file that cannot be read at all.
    case unreadableFile(String, String)
    /// A line of a list.
    case unreadableLine(String, line: Int, expected: String, found: String)
    /// Too few identities or sightings for what is asked of them.
    case tooFew(String)
    /// The output exists, or cannot be written.
    case unwritable(String, String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .missing(let path): "expected a folder with a data set, found nothing at \(path)"
        case .unrecognised(let path, let layouts):
            "expected a data set in \(path), found none of the layouts that are known:\n" + Self.lines(layouts)
        case .ambiguous(let path, let names):
            "\(path) may be \(names.joined(separator: " or ")): say which with --layout"
        case .unknownLayout(let name, let names):
            "expected a layout of \(names.joined(separator: ", ")), found \(name)"
        case .noSuchTrial(let trial, let layout):
            layout == "regdb"
                ? "expected a trial from 1 to 10, found \(trial)"
                : "\(layout) has one train split: expected no trial but 1, found \(trial)"
        case .noValidation(let path, let layout, let others):
            "expected a split for validation in \(path), as \(others.joined(separator: ", ")) may have, found \(layout)"
        case .empty(let path, let what): "expected \(what) in \(path), found none"
        case .broken(let problems): Self.summary(problems)
        case .unreadableImage(let path, let error): "\(path): \(error)"
        case .uncuttable(let path, let tiles, let width):
            "\(path): expected \(tiles) images of equal width side by side, found \(width) columns"
        case .unseen(let path, let expected, let found):
            "\(path): expected an image of \(expected.joined(separator: ", ")), found \(found.joined(separator: ", ")) alone"
        case .unreadableFile(let path, let reason): "\(path): \(reason)"
        case .unreadableLine(let path, let line, let expected, let found):
            "\(path), line \(line): expected \(expected), found \(found)"
        case .tooFew(let what): what
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        }
    }

    /// A sighting that shows none of some modalities.
    static func unseen(_ sighting: TriplesDataset.Sighting, expected: [Modality]) -> DatasetError {
        let files = sighting.files.sorted { $0.key < $1.key }
        return .unseen(
            files.first?.value.url.path ?? sighting.name, expected: expected.map(\.rawValue),
            found: files.map(\.key.rawValue))
    }

    /// Problems that are named, at most.
    private static let named = 10

    private static func summary(_ problems: [DatasetProblem]) -> String {
        if problems.count == 1 { return problems[0].description }
        let rest = problems.count > named ? ["and \(problems.count - named) more; see triptych dataset check"] : []
        return "\(problems.count) problems with the data set:\n"
            + lines(problems.prefix(named).map(\.description) + rest)
    }

    private static func lines(_ lines: [String]) -> String { lines.map { "  " + $0 }.joined(separator: "\n") }
}

/// Something that is wrong with a data set, or that should be known of it.
public struct DatasetProblem: Sendable, Equatable, Encodable, CustomStringConvertible {
    /// What is wrong.
    public enum Kind: String, Sendable, CaseIterable, Encodable {
        /// A file whose header, or whose pixels, cannot be read.
        case undecodable
        /// A file whose name does not say who and from where.
        case misnamed
        /// A sighting that lacks a modality.
        case unpaired
        /// A modality that no sighting of a split has, though one of another split does.
        case missingModality = "missing_modality"
        /// Two files of one image.
        case twice
        /// A list names a file that is not there.
        case absent
        /// An identity of the train split with one sighting: no anchor has a positive.
        case singleImage = "single_image"
        /// An identity of the train split that one camera saw.
        case singleCamera = "single_camera"
        /// A split without an image.
        case emptySplit = "empty_split"
        /// A train split of one identity: there is nobody to tell it from.
        case oneIdentity = "one_identity"
        /// An identity, or an image, that is learned from and tested with.
        case overlap

        /// Whether the data set cannot be used before it is mended.
        public var isError: Bool {
            switch self {
            case .undecodable, .misnamed, .twice, .absent, .emptySplit, .oneIdentity, .overlap: true
            case .unpaired, .missingModality, .singleImage, .singleCamera: false
            }
        }
    }

    /// What is wrong.
    public let kind: Kind
    /// The file, split or identity.
    public let subject: String
    /// What was expected and what was found.
    public let message: String

    /// The subject and the message.
    public var description: String { "\(subject): \(message)" }
}
