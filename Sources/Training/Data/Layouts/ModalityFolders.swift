import Foundation
import Inference

/// A data set with a folder for each split, and in it one for each modality, whose files' names say the rest.
protocol ModalityFolderLayout: DatasetLayout {
    /// What the modalities' folders are called.
    var folders: [(Modality, String)] { get }
    /// What names say.
    var pattern: SplitListing.NamePattern { get }

    /// What a split's folder is called.
    func folder(of split: TriplesDataset.Split) -> String
}

extension ModalityFolderLayout {
    /// The split's own name.
    func folder(of split: TriplesDataset.Split) -> String { split.rawValue }

    private func places(_ split: TriplesDataset.Split, in root: URL) -> [(Modality, URL)] {
        folders.map { ($0.0, root.appendingPathComponent("\(folder(of: split))/\($0.1)")) }
    }

    /// Whether a split has a modality's folder.
    func isLaidOut(in root: URL) -> Bool {
        TriplesDataset.Split.allCases.contains { split in
            places(split, in: root).contains { Folder.exists($0.1) }
        }
    }

    /// All of its files.
    func list(_ split: TriplesDataset.Split, in root: URL) -> SplitListing {
        var listing = SplitListing()
        listing.add(places(split, in: root), pattern)
        return listing
    }
}

/// What data sets call the folders of the modalities.
enum ModalityFolders {
    /// RGBNT201's and the multi-modal Market-1501's.
    static let upper: [(Modality, String)] = [(.rgb, "RGB"), (.nir, "NI"), (.tir, "TI")]
    /// MSVR310's and WMVeID863's, within an identity's folder.
    static let lower: [(Modality, String)] = [(.rgb, "vis"), (.nir, "ni"), (.tir, "th")]

    /// Whether some identity's folder in one of some folders has a modality's. Looks at few, so that recognising is quick.
    static func haveIdentities(_ folders: [URL]) -> Bool {
        folders.contains { folder in
            Folder.names(in: folder).prefix(8).contains { identity in
                lower.contains { Folder.exists(folder.appendingPathComponent("\(identity)/\($0.1)")) }
            }
        }
    }
}
