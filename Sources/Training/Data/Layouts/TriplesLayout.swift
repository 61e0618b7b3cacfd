import Foundation
import Inference

/// Ours, which `synthesize` writes: `<split>/{rgb,nir,tir}/<identity>_c<camera>_<n>.jpg`.
struct TriplesLayout: DatasetLayout {
    let name = "triples"
    let signature = "{train,query,gallery}/{rgb,nir,tir}/0007_c2_001.jpg"

    static let pattern = SplitListing.NamePattern(example: "0007_c2_001.jpg, <identity>_c<camera>_<n>") { name in
        guard let parts = try? /([0-9A-Za-z-]+)_c(\d{1,9})_(.+)/.wholeMatch(in: name), let camera = Int(parts.2)
        else { return nil }
        return .init(identity: String(parts.1), camera: camera)
    }

    private func folders(_ split: TriplesDataset.Split, _ root: URL) -> [(Modality, URL)] {
        Modality.allCases.map { ($0, root.appendingPathComponent("\(split.rawValue)/\($0.rawValue)")) }
    }

    func isLaidOut(in root: URL) -> Bool {
        TriplesDataset.Split.allCases.contains { split in
            folders(split, root).contains { Folder.exists($0.1) }
        }
    }

    func list(_ split: TriplesDataset.Split, in root: URL) -> SplitListing {
        var listing = SplitListing()
        listing.add(folders(split, root), Self.pattern)
        return listing
    }
}
