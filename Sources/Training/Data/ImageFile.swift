import Foundation
import Imaging

/// Where the image of one modality is: a file, or one of the tiles that a file shows side by side.
public struct ImageFile: Sendable, Hashable {
    /// One of several images of equal width, from the left.
    public struct Tile: Sendable, Hashable {
        /// From 0.
        public let index: Int
        /// How many the file shows.
        public let count: Int
    }

    /// The file.
    public let url: URL
    /// Nil for all of it.
    public let tile: Tile?

    /// A whole file, or a tile of it.
    public init(_ url: URL, tile: Tile? = nil) {
        self.url = url
        self.tile = tile
    }

    /// The image's pixels. Throws `DatasetError` naming the file.
    public func image() throws(DatasetError) -> Image { try ImageFileReader().image(of: self) }

    /// The image as a server takes it: the file itself where that is a whole JPEG or PNG, otherwise a PNG of its pixels. Throws
    /// `DatasetError` naming the file.
    public func forUpload() throws(DatasetError) -> (bytes: Data, type: String) {
        let kind = url.pathExtension.lowercased()
        if tile == nil, kind != "bmp" {
            return (try ImageFileReader.bytes(of: url), kind == "png" ? "image/png" : "image/jpeg")
        }
        let image = try ImageFileReader().image(of: self)
        do {
            return (try PNGEncoder.encode(image), "image/png")
        } catch {
            throw .unreadableImage(url.path, error)
        }
    }
}

/// Reads the images of data sets: what a server takes, and the bitmaps that RegDB is published as.
struct ImageFileReader: Sendable {
    /// Bytes from which a header can nearly always be read.
    private static let headerBytes = 1 << 16
    private let decoder = ImageDecoder()

    /// Checks a file's header, and that it can be cut into its tiles. Reads little of it. Throws `DatasetError` naming it.
    func checkHeader(of file: ImageFile) throws(DatasetError) {
        _ = try Self.columns(of: file, width: try size(of: file.url).width)
    }

    /// Columns and rows of a file, by its header. Throws `DatasetError` naming it.
    func size(of url: URL) throws(DatasetError) -> Image.Size {
        let start = try Self.bytes(of: url, atMost: Self.headerBytes)
        if let size = try? size(ofBytes: start) { return size }
        let all = start.count < Self.headerBytes ? start : try Self.bytes(of: url)
        do {
            return try size(ofBytes: all)
        } catch {
            throw .unreadableImage(url.path, error)
        }
    }

    private func size(ofBytes bytes: Data) throws(ImagingError) -> Image.Size {
        BMPDecoder.isBMP(bytes) ? try BMPDecoder.size(of: bytes, decoder.limits) : try decoder.size(of: bytes)
    }

    /// All pixels of an image. Throws `DatasetError` naming the file.
    func image(of file: ImageFile) throws(DatasetError) -> Image { try Self.cut(try whole(file.url), file) }

    /// All pixels of a file, 16-bit values scaled by a range or by their own percentiles. Throws `DatasetError` naming it.
    func whole(_ url: URL, scaling range: ClosedRange<UInt16>? = nil) throws(DatasetError) -> Image {
        let bytes = try Self.bytes(of: url)
        do {
            return BMPDecoder.isBMP(bytes)
                ? try BMPDecoder.decode(bytes, decoder.limits) : try decoder.scaling(range).decode(bytes)
        } catch {
            throw .unreadableImage(url.path, error)
        }
    }

    /// What a file shows of one modality. Throws `DatasetError.uncuttable`.
    static func cut(_ whole: Image, _ file: ImageFile) throws(DatasetError) -> Image {
        guard let columns = try columns(of: file, width: whole.width) else { return whole }
        return whole.cropped(
            to: Image.Box(x: columns.lowerBound, y: 0, width: columns.count, height: whole.height))
    }

    private static func columns(of file: ImageFile, width: Int) throws(DatasetError) -> Range<Int>? {
        guard let tile = file.tile else { return nil }
        guard width % tile.count == 0 else { throw .uncuttable(file.url.path, tiles: tile.count, width: width) }
        let side = width / tile.count
        return tile.index * side..<(tile.index + 1) * side
    }

    /// A file's bytes, or its first ones. Throws `DatasetError.unreadableFile`.
    static func bytes(of url: URL, atMost count: Int? = nil) throws(DatasetError) -> Data {
        do {
            guard let count else { return try Data(contentsOf: url) }
            let handle = try FileHandle(forReadingFrom: url)
            defer { try? handle.close() }
            return try handle.read(upToCount: count) ?? Data()
        } catch {
            throw .unreadableFile(url.path, error.localizedDescription)
        }
    }
}
