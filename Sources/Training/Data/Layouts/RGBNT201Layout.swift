import Foundation
import Inference

/// RGBNT201 (Zheng et al., AAAI 2021): people; every test image is query and gallery.
struct RGBNT201Layout: DatasetLayout {
    let name = "rgbnt201"
    let signature = "{train_171,test}/{RGB,NI,TI}/000258_cam1_0_00.jpg"

    private static let pattern = SplitListing.NamePattern(example: "000258_cam1_0_00.jpg") { name in
        guard let parts = name.prefixMatch(of: /(\d{6})_cam(\d)/), let camera = Int(parts.2) else { return nil }
        return .init(identity: String(parts.1), camera: camera)
    }

    func isLaidOut(in root: URL) -> Bool {
        ["train_171", "test"].contains { split in
            ModalityFolders.upper.contains { Folder.exists(root.appendingPathComponent("\(split)/\($0.1)")) }
        }
    }

    func list(_ split: TriplesDataset.Split, in root: URL) -> SplitListing {
        var listing = SplitListing()
        let folder = root.appendingPathComponent(split == .train ? "train_171" : "test")
        listing.add(ModalityFolders.upper.map { ($0.0, folder.appendingPathComponent($0.1)) }, Self.pattern)
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
