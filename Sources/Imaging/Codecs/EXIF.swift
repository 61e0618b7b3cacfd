/// The orientation that a camera noted in a JPEG file (EXIF 2.32, tag 0x0112).
enum EXIF {
    private static let identifier = Array("Exif\0\0".utf8)

    /// 1 to 8; 1 (upright) where there is no EXIF block or it is broken.
    static func orientation(ofJPEG bytes: [UInt8]) -> Int {
        var at = 2
        while at + 4 <= bytes.count, bytes[at] == 0xFF {
            let marker = bytes[at + 1]
            if marker == 0xDA || marker == 0xD9 { break }  // The scan, or the end: no header follows.
            let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
            guard length >= 2, at + 2 + length <= bytes.count else { break }
            let contents = bytes[(at + 4)..<(at + 2 + length)]
            // The first EXIF block decides: a file has room for hundreds. Other blocks bear the same marker.
            if marker == 0xE1, contents.starts(with: identifier) {
                return orientation(ofTIFF: Array(contents.dropFirst(identifier.count))) ?? 1
            }
            at += 2 + length
        }
        return 1
    }

    /// Whether an upright image has the stored one's rows as its columns.
    static func isTurned(_ orientation: Int) -> Bool { orientation >= 5 }

    /// nil if it is not a sound EXIF block with an orientation.
    private static func orientation(ofTIFF tiff: [UInt8]) -> Int? {
        guard tiff.count >= 8 else { return nil }
        let isLittle = tiff[0] == 0x49
        func number(_ at: Int, bytes: Int) -> Int? {
            guard at >= 0, at + bytes <= tiff.count else { return nil }
            let part = tiff[at..<(at + bytes)]
            return (isLittle ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(4, bytes: 4), let entries = number(directory, bytes: 2) else { return nil }
        for entry in 0..<entries {
            let at = directory + 2 + entry * 12
            guard let tag = number(at, bytes: 2) else { return nil }
            if tag == 0x0112 { return number(at + 8, bytes: 2).flatMap { (1...8).contains($0) ? $0 : nil } }
        }
        return nil
    }
}

extension Image {
    /// The image turned and mirrored to upright from an EXIF orientation, 1 to 8.
    func oriented(_ orientation: Int) -> Image {
        let (w, h) = (width, height)
        switch orientation {
        case 2: return mapped(width: w, height: h) { (w - 1 - $0, $1) }
        case 3: return mapped(width: w, height: h) { (w - 1 - $0, h - 1 - $1) }
        case 4: return mapped(width: w, height: h) { ($0, h - 1 - $1) }
        case 5: return mapped(width: h, height: w) { ($1, $0) }
        case 6: return mapped(width: h, height: w) { ($1, h - 1 - $0) }
        case 7: return mapped(width: h, height: w) { (w - 1 - $1, h - 1 - $0) }
        case 8: return mapped(width: h, height: w) { (w - 1 - $1, $0) }
        default: return self
        }
    }
}
