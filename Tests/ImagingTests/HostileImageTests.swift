import Foundation
import Imaging
import Synchronization
import Testing

@Suite("Images made to be slow", .timeLimit(.minutes(1)))
struct HostileImageTests {
    /// Grey values that differ, with the filter byte before each row.
    private static func rows(width: Int, height: Int) -> [UInt8] {
        (0..<height).flatMap { y in [0] + (0..<width).map { UInt8(truncatingIfNeeded: y * 37 + $0 * 11) } }
    }

    private static func png(_ width: Int, _ height: Int, adding chunks: [(String, [UInt8])] = []) -> Data {
        var file = PNGFile(width: width, height: height)
        for (name, contents) in chunks { file.add(name, contents) }
        file.add("IDAT", Zlib.stored(rows(width: width, height: height)))
        return file.finished
    }

    @Test("texts and profiles in a PNG are not inflated")
    func compressedChunks() throws {
        let zeros = Zlib.zeros(atLeast: 6 << 20)
        let names = ["zTXt": "Comment\0\0", "iTXt": "Comment\0\u{1}\0\0\0", "iCCP": "Profile\0\0"]
        let chunks = names.flatMap { name, start in
            [(String, [UInt8])](repeating: (name, Array(start.utf8) + zeros), count: 16)
        }
        let (plain, swollen) = (Self.png(5, 4), Self.png(5, 4, adding: chunks))
        let before = try Memory.peak()
        #expect(try ImageDecoder().decode(swollen) == ImageDecoder().decode(plain))
        #expect(try Memory.peak() - before < 50_000, "kilobytes")
    }

    @Test("what a PNG's data holds beyond the last row is not inflated")
    func excessData() throws {
        let zeros = Zlib.zeros(atLeast: 3 << 30)
        var file = PNGFile(width: 5, height: 4)
        file.add("IDAT", zeros)
        let image = try ImageDecoder(limits: ImageLimits(bytes: 1 << 30)).decode(file.finished)
        #expect(image.pixels == [UInt8](repeating: 0, count: 60))
    }

    @Test("no chunk but header, palette and data changes a pixel, sound or not")
    func ancillaryChunks() throws {
        let known = [
            "bKGD", "cHRM", "eXIf", "gAMA", "hIST", "iCCP", "iTXt", "oFFs", "pCAL", "pHYs", "sBIT", "sCAL", "sPLT",
            "sRGB",
            "sTER", "tEXt", "tIME", "tRNS", "zTXt", "prIv",
        ]
        let plain = try ImageDecoder().decode(Self.png(5, 4))
        for name in known {
            for contents in [[], [0], [0, 0, 0xB1, 0x8F], [UInt8](repeating: 1, count: 300)] as [[UInt8]] {
                let chunks = [(name, contents), (name, contents)]
                #expect(try ImageDecoder().decode(Self.png(5, 4, adding: chunks)) == plain, "\(name)")
            }
        }
        #expect(throws: ImagingError.self, "a critical chunk that nobody knows") {
            try ImageDecoder().decode(Self.png(5, 4, adding: [("PRIV", [])]))
        }
    }

    @Test("a palette's transparency changes no colour, and a pixel outside the palette is an image or an error")
    func palette() throws {
        let decoded = try [false, true].map { isTransparent in
            var file = PNGFile(width: 2, height: 1, kind: .palette)
            file.add("PLTE", [10, 20, 30, 40, 50, 60])
            if isTransparent { file.add("tRNS", [0, 128]) }
            file.add("IDAT", Zlib.stored([0, 1, 0]))
            return try ImageDecoder().decode(file.finished).pixels
        }
        #expect(decoded == [[40, 50, 60, 10, 20, 30], [40, 50, 60, 10, 20, 30]])
        var file = PNGFile(width: 2, height: 1, kind: .palette)
        file.add("PLTE", [10, 20, 30])
        file.add("IDAT", Zlib.stored([0, 255, 1]))
        _ = try? ImageDecoder().decode(file.finished)
    }

    @Test("an interlaced PNG of any small size has the pixels of a plain one, and cut short is an error")
    func interlaced() throws {
        for (width, height) in (1...9).flatMap({ w in (1...9).map { (w, $0) } }) {
            let data = Self.adam7(Self.rows(width: width, height: height), width: width, height: height)
            var file = PNGFile(width: width, height: height, isInterlaced: true)
            var cut = file
            file.add("IDAT", Zlib.stored(data))
            #expect(try ImageDecoder().decode(file.finished) == ImageDecoder().decode(Self.png(width, height)))
            cut.add("IDAT", Zlib.stored(data.dropLast()))
            #expect(throws: ImagingError.self, "\(width) × \(height)") { try ImageDecoder().decode(cut.finished) }
        }
    }

    /// The rows of the seven passes, each of which takes each so manieth column and row.
    private static func adam7(_ plain: [UInt8], width: Int, height: Int) -> [UInt8] {
        let passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        var data: [UInt8] = []
        for (x, y, across, down) in passes where x < width {
            for row in stride(from: y, to: height, by: down) {
                data.append(0)
                for column in stride(from: x, to: width, by: across) {
                    data.append(plain[row * (width + 1) + 1 + column])
                }
            }
        }
        return data
    }

    @Test("a PNG whose data ends before its rows is an error, however sound the stream")
    func missingRows() throws {
        for count in 0..<24 {
            var file = PNGFile(width: 5, height: 4)
            file.add("IDAT", Zlib.stored(Array(Self.rows(width: 5, height: 4).prefix(count))))
            #expect(throws: ImagingError.self, "\(count) bytes") { try ImageDecoder().decode(file.finished) }
        }
    }

    /// A JPEG of 63 · 2 small scans, each over all blocks; none of them is against the standard.
    private static func jpeg(scans: Int, width: Int = 512, height: Int = 512) -> Data {
        var file = JPEGFile(width: width, height: height)
        for scan in 0..<scans {
            file.addEmptyScan(
                of: UInt8(scan % 63 + 1), precision: UInt8(13 - scan / 63), refines: scan >= 63)
        }
        return file.finished
    }

    @Test("a JPEG may go over its blocks as often as the limit, and no more")
    func scans() throws {
        let decoder = ImageDecoder(limits: ImageLimits(passes: 20))
        let grey = [UInt8](repeating: 128, count: 2048 * 1024 * 3)
        #expect(try decoder.decode(Self.jpeg(scans: 19, width: 2048, height: 1024)).pixels == grey)
        #expect(throws: ImagingError.tooManyPasses(limit: 20)) {
            try decoder.decode(Self.jpeg(scans: 63, width: 2048, height: 1024))
        }
        #expect(throws: ImagingError.tooManyPasses(limit: 32)) {
            try ImageDecoder().decode(Self.jpeg(scans: 126, width: 2048, height: 1024))
        }
        #expect(throws: Never.self, "a few pixels") {
            try ImageDecoder().decode(Self.jpeg(scans: 126, width: 8, height: 8))
        }
    }

    @Test("a JPEG coded arithmetically is an error: its end could not be told from zeros")
    func arithmetic() throws {
        var file = JPEGFile(width: 8, height: 8).finished
        let frame = try #require(file.firstRange(of: Data([0xFF, 0xC2])))
        file.replaceSubrange(frame, with: [0xFF, 0xCA])
        #expect(throws: ImagingError.self) { try ImageDecoder().decode(file) }
    }

    @Test("markers of other programs between a JPEG's own cost nothing")
    func markers() throws {
        var file = JPEGFile(width: 8, height: 8)
        let plain = try ImageDecoder().decode(file.finished)
        for marker in UInt8(0xE0)...0xEF {
            for _ in 0..<1000 { file.add(marker, []) }
            file.add(marker, [UInt8](repeating: 1, count: 65_000))
        }
        for _ in 0..<100_000 { file.add(0xFE, []) }
        #expect(try ImageDecoder().decode(file.finished) == plain)
    }

    @Test("the first EXIF block decides")
    func twoOrientations() throws {
        let block = { (orientation: UInt8) in
            Array("Exif\0\0MM\0*\0\0\0\u{8}\0\u{1}\u{1}\u{12}\0\u{3}\0\0\0\u{1}\0".utf8) + [orientation, 0, 0]
        }
        var file = Data([0xFF, 0xD8])
        for contents in [block(0), block(6)] { file += [0xFF, 0xE1, 0, UInt8(contents.count + 2)] + contents }
        file += JPEGFile(width: 16, height: 8).finished.dropFirst(2)
        #expect(try ImageDecoder().decode(file).size == Image.Size(width: 16, height: 8))
    }

    @Test("a side longer than the limit is an error, with few pixels as well")
    func sides() {
        for (width, height) in [(70_000, 1), (1, 70_000)] {
            #expect(throws: ImagingError.tooLong(limit: 65_535, width: width, height: height)) {
                try ImageDecoder().decode(Self.png(width, height))
            }
        }
    }

    @Test("a decoding ends at its deadline", arguments: [png(300, 300), jpeg(scans: 8)])
    func deadline(file: Data) {
        let budget = DecodingBudget(deadline: .now - .seconds(1))
        #expect(throws: ImagingError.timedOut) { try ImageDecoder().decode(file, within: budget) }
        let later = DecodingBudget(deadline: .now + .seconds(600))
        #expect(throws: Never.self) { try ImageDecoder().decode(file, within: later) }
    }

    @Test("a decoding ends wherever it is when nobody waits for it", arguments: [png(600, 600), jpeg(scans: 8)])
    func cancellation(file: Data) throws {
        let asked = Mutex(0)
        let ask = { @Sendable (last: Int) in
            asked.withLock { asked in
                asked += 1
                return asked > last
            }
        }
        _ = try ImageDecoder().decode(file, within: DecodingBudget { ask(.max) })
        let all = asked.withLock { $0 }
        #expect(all > 5)
        for last in 0..<all {
            asked.withLock { $0 = 0 }
            #expect(throws: ImagingError.cancelled) {
                try ImageDecoder().decode(file, within: DecodingBudget { ask(last) })
            }
            #expect(asked.withLock { $0 } == last + 1)
        }
    }
}
