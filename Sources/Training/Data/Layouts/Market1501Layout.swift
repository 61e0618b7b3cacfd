import Foundation
import Inference

/// Market-1501 (Zheng et al., ICCV 2015): people, RGB. Images of -1 are ignored; those of 0000 are ranked, and match nobody.
struct Market1501Layout: DatasetLayout {
    let name = "market1501"
    let signature = "{bounding_box_train,query,bounding_box_test}/0002_c1s1_000451_03.jpg"
    let modalities: [Modality] = [.rgb]

    static let pattern = SplitListing.NamePattern(example: "0002_c1s1_000451_03.jpg") { name in
        guard let parts = name.prefixMatch(of: /([0-9A-Za-z-]+)_c(\d+)/), let camera = Int(parts.2) else {
            return nil
        }
        return .init(identity: String(parts.1), camera: camera)
    }

    func isLaidOut(in root: URL) -> Bool {
        let images = TriplesDataset.Split.allCases.lazy.flatMap {
            Folder.images(in: root.appendingPathComponent($0.boundingBoxes))
        }
        guard let first = images.first else { return false }
        // Strips of several modalities are in folders of the same names.
        guard let size = try? ImageFileReader().size(of: first) else { return true }
        return size.width < 3 * size.height
    }

    func list(_ split: TriplesDataset.Split, in root: URL) -> SplitListing {
        var listing = SplitListing()
        listing.add([(.rgb, root.appendingPathComponent(split.boundingBoxes))], Self.pattern)
        return listing
    }
}

/// The multi-modal Market-1501 (Wang et al., AAAI 2022), and what `dataset derive` writes.
struct MarketMultiModalLayout: ModalityFolderLayout {
    let name = "market-multimodal"
    let signature = "{train,query,gallery}/{RGB,NI,TI}/0002_c1s1_000451_03.jpg"

    let folders = ModalityFolders.upper
    let pattern = Market1501Layout.pattern
}
