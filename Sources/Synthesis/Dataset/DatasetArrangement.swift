import Foundation
import Imaging

/// Where the pictures of a data set are.
public enum DatasetArrangement: String, CaseIterable, Sendable {
    /// Ours: a folder a modality, and captions.
    case triples
    /// RGBNT100's: the modalities side by side in one picture.
    case rgbnt100

    /// A picture's path, for `dataset.json`.
    var pattern: String {
        switch self {
        case .triples: "<split>/<modality>/<identity>_c<camera>_<sighting>.jpg"
        case .rgbnt100:
            "rgbir/<bounding_box_train|query|bounding_box_test>/<identity>_c<camera>_<sighting>.jpg: rgb, nir, tir"
        }
    }

    /// Whether there are captions.
    var hasCaptions: Bool { self == .triples }

    /// The folders of a split.
    func folders(_ split: DatasetSplit) -> [String] {
        switch self {
        case .triples: split.folders.map { "\(split.rawValue)/\($0)" }
        case .rgbnt100: [Self.strips(split)]
        }
    }

    /// The pictures of a triple, by path: rgb, nir and tir.
    func pictures(_ entry: DatasetPlan.Entry, _ images: [Image]) -> [(path: String, image: Image)] {
        switch self {
        case .triples: zip(DatasetPlan.modalities, images).map { (entry.path($0), $1) }
        case .rgbnt100:
            [
                (
                    Self.strips(entry.split)
                        + String(format: "/%04d_c%04d_%03d.jpg", entry.identity, entry.camera, entry.sighting),
                    Self.sideBySide(images)
                )
            ]
        }
    }

    private static func strips(_ split: DatasetSplit) -> String {
        switch split {
        case .train: "rgbir/bounding_box_train"
        case .query: "rgbir/query"
        case .gallery: "rgbir/bounding_box_test"
        }
    }

    /// Images of one size from left to right.
    private static func sideBySide(_ images: [Image]) -> Image {
        let tiles = images.map { $0.replicatedToRGB() }
        let (width, height) = (tiles[0].width, tiles[0].height)
        var pixels: [UInt8] = []
        pixels.reserveCapacity(tiles.count * width * height * 3)
        for row in 0..<height {
            for tile in tiles { pixels += tile.pixels[row * width * 3..<(row + 1) * width * 3] }
        }
        return Image(width: width * tiles.count, height: height, channels: 3, pixels: pixels)
    }
}
