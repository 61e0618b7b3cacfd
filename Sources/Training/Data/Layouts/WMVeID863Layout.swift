import Foundation
import Inference

/// WMVeID863 (Zheng et al., 2023): vehicles. The images of a sighting are those of one name, not those at one place of a folder.
struct WMVeID863Layout: DatasetLayout {
    let name = "wmveid863"
    let signature = "{train,query,test}/<identity>/{vis,ni,th}/<name with v and the camera>.jpg"

    private func folder(_ split: TriplesDataset.Split, in root: URL) -> URL {
        root.appendingPathComponent(split == .gallery ? "test" : split.rawValue)
    }

    func isLaidOut(in root: URL) -> Bool {
        ModalityFolders.haveIdentities(TriplesDataset.Split.allCases.map { folder($0, in: root) })
    }

    func list(_ split: TriplesDataset.Split, in root: URL) -> SplitListing {
        var listing = SplitListing()
        for folder in Folder.folders(in: folder(split, in: root)) {
            let identity = folder.lastPathComponent
            let pattern = SplitListing.NamePattern(example: "0001_n0_v1_000.jpg, with v and the camera's digit") {
                guard let camera = $0.firstMatch(of: /v(\d)/).flatMap({ Int($0.1) }) else { return nil }
                return .init(identity: identity, camera: camera)
            }
            listing.add(
                ModalityFolders.lower.map { ($0.0, folder.appendingPathComponent($0.1)) }, prefix: identity + "/",
                pattern)
        }
        return listing
    }
}
