import ArgumentParser
import Documents
import Foundation
import Imaging
import Inference
import Training

/// `triptych dataset sheet`.
struct DatasetSheetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sheet",
        abstract: "Draws a contact sheet of a data set.",
        discussion: """
            A row an identity, spread evenly over the split; a column a camera and modality, with the first image of the \
            identity there.
            """)

    @OptionGroup var dataset: DatasetArgument
    @Option(help: "The picture to write, a .png or .jpg file.")
    var output: String
    @Option(help: "train, query or gallery.")
    var split = "train"
    @Option(help: "Identities at most, 1 to 100.")
    var rows = 12
    @Option(help: "Cameras at most, 1 to 20.")
    var cameras = 6

    func run() async throws {
        guard 1...100 ~= rows, 1...20 ~= cameras else {
            throw ValidationError(
                "expected --rows from 1 to 100 and --cameras from 1 to 20, found \(rows) and \(cameras)")
        }
        let kind = (output as NSString).pathExtension.lowercased()
        guard ["png", "jpg", "jpeg"].contains(kind) else {
            throw ValidationError("--output: expected a .png or .jpg file, found \(output)")
        }
        let sightings = try dataset.open().sightings(Split.parse(split))
        let sheet = try DatasetSheet(sightings, rows: rows, cameras: cameras).draw()
        let bytes = try kind == "png" ? PNGEncoder.encode(sheet) : JPEGEncoder.encode(sheet, quality: 90)
        try DurableFile.write(bytes, to: output)
        print(output)
    }
}

/// A picture of sightings: rows are identities, columns cameras and their modalities, all labelled.
struct DatasetSheet {
    private let identities: [String]
    private let cameras: [Int]
    private let modalities: [Modality]
    /// The first of an identity and camera that has a modality.
    private let files: [Key: ImageFile]
    private let tile: (width: Int, height: Int)

    private struct Key: Hashable {
        let identity: String
        let camera: Int
        let modality: Modality
    }

    private static let gap = 4
    private static let heading = 2 * (PixelFont.height + gap)
    private static let side = 96

    /// Throws `DatasetError` if the first image cannot be read: the tiles have its proportions.
    init(_ sightings: [TriplesDataset.Sighting], rows: Int, cameras limit: Int) throws {
        let all = Set(sightings.map(\.identity)).sorted()
        let count = min(rows, all.count)
        identities = (0..<count).map { all[$0 * all.count / count] }
        let shown = Set(identities)
        let own = sightings.filter { shown.contains($0.identity) }
        cameras = Array(Set(own.map(\.camera)).sorted().prefix(limit))
        modalities = Set(own.flatMap(\.files.keys)).sorted()
        var files: [Key: ImageFile] = [:]
        for sighting in own {
            for (modality, file) in sighting.files {
                let key = Key(identity: sighting.identity, camera: sighting.camera, modality: modality)
                files[key] = files[key] ?? file
            }
        }
        self.files = files
        let first = try own.first?.files.sorted { $0.key < $1.key }.first?.value.image()
        let size = first?.size ?? Image.Size(width: 1, height: 1)
        let longer = max(size.width, size.height)
        tile = (max(size.width * Self.side / longer, 8), max(size.height * Self.side / longer, 8))
    }

    /// Throws `DatasetError` naming an image that cannot be read.
    func draw() throws -> Image {
        let gutter = Self.gap + (identities.map(\.count).max() ?? 0) * PixelFont.advance
        let column = max(tile.width, 3 * PixelFont.advance) + Self.gap
        let columns = cameras.flatMap { camera in modalities.map { (camera, $0) } }
        let (width, height) = (
            gutter + columns.count * column + Self.gap,
            Self.heading + identities.count * (tile.height + Self.gap) + Self.gap
        )
        var sheet = Canvas(width: width, height: height, background: 18)
        for (index, (camera, modality)) in columns.enumerated() {
            let x = gutter + index * column
            if modality == modalities.first { sheet.write("CAM \(camera)", x: x, y: Self.gap) }
            sheet.write(modality.rawValue.uppercased(), x: x, y: 2 * Self.gap + PixelFont.height)
        }
        for (row, identity) in identities.enumerated() {
            let y = Self.heading + Self.gap + row * (tile.height + Self.gap)
            sheet.write(identity.uppercased(), x: Self.gap / 2, y: y + (tile.height - PixelFont.height) / 2)
            for (index, (camera, modality)) in columns.enumerated() {
                let file = files[Key(identity: identity, camera: camera, modality: modality)]
                try draw(file, x: gutter + index * column, y: y, on: &sheet)
            }
        }
        return Image(width: width, height: height, channels: 3, pixels: sheet.pixels)
    }

    private func draw(_ file: ImageFile?, x: Int, y: Int, on sheet: inout Canvas) throws {
        guard let file else {
            return sheet.fill(x: x, y: y, width: tile.width, height: tile.height, [44, 44, 44])
        }
        let image = try file.image().replicatedToRGB()
        sheet.place(image.resized(width: tile.width, height: tile.height, interpolation: .bilinear), x: x, y: y)
    }
}
