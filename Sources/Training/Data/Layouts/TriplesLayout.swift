import Foundation
import Inference

/// Ours, which `synthesize` writes: `<split>/{rgb,nir,tir}/<identity>_c<camera>_<n>.jpg`.
struct TriplesLayout: ModalityFolderLayout {
    let name = "triples"
    let signature = "{train,query,gallery}/{rgb,nir,tir}/0007_c2_001.jpg"

    static let pattern = SplitListing.NamePattern(example: "0007_c2_001.jpg, <identity>_c<camera>_<n>") { name in
        guard let parts = try? /([0-9A-Za-z-]+)_c(\d{1,9})_(.+)/.wholeMatch(in: name), let camera = Int(parts.2)
        else { return nil }
        return .init(identity: String(parts.1), camera: camera)
    }

    let folders = Modality.allCases.map { ($0, $0.rawValue) }
    var pattern: SplitListing.NamePattern { Self.pattern }

    /// A folder `val` beside the others.
    func listValidation(in root: URL) -> SplitListing? {
        var listing = SplitListing()
        listing.add(folders.map { ($0.0, root.appendingPathComponent("val/\($0.1)")) }, pattern)
        return listing
    }
}
