import Foundation
import Imaging
import Training

/// A folder of tiny files with the names of a published data set; removed when it goes.
final class Tree {
    let root = Fixture.scratch()

    /// Images at these paths, of one size.
    init(_ paths: [String] = [], width: Int = 8, height: Int = 16) throws {
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        for path in paths { try add(path, width: width, height: height) }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func url(_ path: String) -> URL { root.appendingPathComponent(path) }

    /// Adds an image; its extension says of which kind.
    func add(_ path: String, width: Int = 8, height: Int = 16) throws {
        // Each image has pixels of its own.
        let start = path.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFF }
        let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: start + 7 * $0) }
        try add(path, Image(width: width, height: height, channels: 3, pixels: pixels))
    }

    func add(_ path: String, _ image: Image) throws {
        switch url(path).pathExtension {
        case "png": try write(path, PNGEncoder.encode(image))
        case "bmp": try write(path, Self.bitmap(image))
        default: try write(path, JPEGEncoder.encode(image, quality: 95, subsampled: false))
        }
    }

    func write(_ path: String, _ text: String) throws { try write(path, Data(text.utf8)) }

    func write(_ path: String, _ bytes: Data) throws {
        try FileManager.default.createDirectory(
            at: url(path).deletingLastPathComponent(), withIntermediateDirectories: true)
        try bytes.write(to: url(path))
    }

    /// Recognised, unless a layout is insisted on.
    func dataset(_ layout: String? = nil, trial: Int = 1) throws -> TriplesDataset {
        try TriplesDataset(root: root, layout: layout, trial: trial)
    }

    /// A bitmap of 24 bits a pixel, rows from the bottom, as RegDB has them.
    private static func bitmap(_ image: Image) -> Data {
        let stride = (image.width * 3 + 3) / 4 * 4
        var bytes = Data("BM".utf8)
        let number = { (value: Int, count: Int) in (0..<count).map { UInt8(value >> (8 * $0) & 0xFF) } }
        for (value, count) in [
            (54 + stride * image.height, 4), (0, 4), (54, 4), (40, 4), (image.width, 4), (image.height, 4), (1, 2),
            (24, 2), (0, 4), (stride * image.height, 4), (0, 4), (0, 4), (0, 4), (0, 4),
        ] { bytes.append(contentsOf: number(value, count)) }
        for row in (0..<image.height).reversed() {
            for column in 0..<image.width {
                let at = (row * image.width + column) * 3
                bytes.append(contentsOf: image.pixels[at..<at + 3].reversed())
            }
            bytes.append(contentsOf: [UInt8](repeating: 0, count: stride - image.width * 3))
        }
        return bytes
    }
}
