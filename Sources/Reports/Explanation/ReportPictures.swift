import Foundation
import Imaging
import Inference
import Training

/// Pictures of sightings, small, as JPEGs within the page.
struct ReportPictures {
    /// The modalities' images one below the other where they are wide, side by side where they are high.
    private let modalities: [Modality]
    private let isWide: Bool
    private let tile: (width: Int, height: Int)

    private static let longer = 112
    private static let gap = 2

    /// - Parameters:
    ///   - modalities: the model's, in its order.
    ///   - proportions: of a picture whose tiles have them, width over height.
    init(_ modalities: [Modality], proportions: Double) {
        self.modalities = modalities
        isWide = proportions >= 1
        let side = Double(Self.longer)
        tile =
            isWide
            ? (Self.longer, max(Int(side / proportions), 16)) : (max(Int(side * proportions), 16), Self.longer)
    }

    /// The modalities' order in words.
    var order: String {
        modalities.count == 1
            ? modalities[0].rawValue
            : "\(isWide ? "top to bottom" : "left to right"): " + modalities.map(\.rawValue).joined(separator: ", ")
    }

    /// The pixels of a sighting's picture.
    var size: (width: Int, height: Int) {
        let count = modalities.count
        return isWide
            ? (tile.width, count * tile.height + (count - 1) * Self.gap)
            : (count * tile.width + (count - 1) * Self.gap, tile.height)
    }

    /// A sighting's images; what it lacks is grey. Throws `DatasetError` or `ImagingError`.
    func picture(_ sighting: TriplesDataset.Sighting) throws -> String {
        try uri(
            modalities.map { modality in
                try sighting.files[modality].map { resized(try $0.image()) }
            })
    }

    /// A sighting's images under what the model looks at. Throws `DatasetError` or `ImagingError`.
    func picture(_ sighting: TriplesDataset.Sighting, under maps: [Modality: [[Float]]]) throws -> String {
        try uri(
            modalities.map { modality in
                guard let file = sighting.files[modality], let map = maps[modality] else { return nil }
                return HeatMap(map).laid(over: resized(try file.image()))
            })
    }

    private func resized(_ image: Image) -> Image {
        image.replicatedToRGB().resized(width: tile.width, height: tile.height, interpolation: .bilinear)
    }

    private func uri(_ images: [Image?]) throws -> String {
        var canvas = Canvas(width: size.width, height: size.height, background: 128)
        for (place, image) in images.enumerated() {
            let step = place * ((isWide ? tile.height : tile.width) + Self.gap)
            if let image { canvas.place(image, x: isWide ? 0 : step, y: isWide ? step : 0) }
        }
        let picture = Image(width: size.width, height: size.height, channels: 3, pixels: canvas.pixels)
        return "data:image/jpeg;base64," + (try JPEGEncoder.encode(picture, quality: 82)).base64EncodedString()
    }
}
