import Foundation
import Inference

/// RGBNT100 and RGBN300 (Li et al., AAAI 2020): vehicles, the modalities side by side in one image.
struct StripLayout: DatasetLayout {
    let name: String
    let signature: String
    let modalities: [Modality]
    /// Where the splits are, below the root, under the data set's own name: the first that is there.
    private let places: [String]

    static let rgbnt100 = StripLayout(
        name: "rgbnt100", signature: "rgbir/{bounding_box_train,query,bounding_box_test}/0501_c0001_000.jpg, 768×128",
        modalities: [.rgb, .nir, .tir], places: ["RGBNT100/rgbir"])
    static let rgbn300 = StripLayout(
        name: "rgbn300",
        signature: "{RGBN300,RGBNT300}/rgbir/{bounding_box_train,query,bounding_box_test}/0501_c0001_000.jpg, 512×128",
        modalities: [.rgb, .nir], places: ["RGBNT300/rgbir", "RGBN300/rgbir"])

    private static let pattern = SplitListing.NamePattern(example: "0501_c0001_000.jpg") { name in
        guard let parts = name.prefixMatch(of: /([-\d]+)_c([-\d]+)/), let camera = Int(parts.2) else { return nil }
        return .init(identity: String(parts.1), camera: camera)
    }

    /// Both may lie here.
    private static let bare = ["rgbir", "."]

    private func place(in root: URL) -> String? {
        (places + Self.bare).first { place in
            TriplesDataset.Split.allCases.contains { Folder.exists(folder($0, place, root)) }
        }
    }

    private func folder(_ split: TriplesDataset.Split, _ place: String, _ root: URL) -> URL {
        root.appendingPathComponent(place).appendingPathComponent(split.boundingBoxes)
    }

    func isLaidOut(in root: URL) -> Bool {
        guard let place = place(in: root) else { return false }
        let images = TriplesDataset.Split.allCases.lazy.flatMap { Folder.images(in: folder($0, place, root)) }
        guard let first = images.first, let size = try? ImageFileReader().size(of: first) else {
            return !Self.bare.contains(place) || (place == "rgbir" && modalities.count == 3)
        }
        // Tiles are twice as wide as high; what is narrower than two of them is no strip.
        return size.width >= 3 * size.height && (size.width >= 5 * size.height) == (modalities.count == 3)
    }

    func list(_ split: TriplesDataset.Split, in root: URL) -> SplitListing {
        var listing = SplitListing()
        if let place = place(in: root) { listing.add(strips: folder(split, place, root), modalities, Self.pattern) }
        return listing
    }
}

extension TriplesDataset.Split {
    /// The folder of the split in Market-1501 and in what is laid out after it.
    var boundingBoxes: String {
        switch self {
        case .train: "bounding_box_train"
        case .query: "query"
        case .gallery: "bounding_box_test"
        }
    }
}
