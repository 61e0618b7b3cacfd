import Foundation
import Inference

/// MSVR310 (Zheng et al., Information Fusion 2023): vehicles; what the query's scene saw of its identity is not ranked.
struct MSVR310Layout: DatasetLayout {
    let name = "msvr310"
    let signature = "{bounding_box_train,query3,bounding_box_test}/0001/{vis,ni,th}/0001_s002_v0_000.jpg"
    let rule = RetrievalProtocol.scene

    private static let pattern = SplitListing.NamePattern(example: "0001_s002_v0_000.jpg") { name in
        guard let parts = name.prefixMatch(of: /(\d{4})_s(\d{3})_v(\d+)/), let camera = Int(parts.3) else { return nil }
        return .init(identity: String(parts.1), camera: camera, scene: String(parts.2))
    }

    private func folder(_ split: TriplesDataset.Split, in root: URL) -> URL {
        root.appendingPathComponent(split == .query ? "query3" : split.boundingBoxes)
    }

    func isLaidOut(in root: URL) -> Bool {
        ModalityFolders.haveIdentities(TriplesDataset.Split.allCases.map { folder($0, in: root) })
    }

    func list(_ split: TriplesDataset.Split, in root: URL) -> SplitListing {
        var listing = SplitListing()
        for identity in Folder.folders(in: folder(split, in: root)) {
            listing.add(
                ModalityFolders.lower.map { ($0.0, identity.appendingPathComponent($0.1)) }, Self.pattern)
        }
        return listing
    }
}
