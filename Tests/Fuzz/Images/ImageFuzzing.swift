import Foundation
import Imaging

/// Decodes whatever bytes libFuzzer makes. Few pixels, so that it makes many.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzImages(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = withSoundChecksums(Array(UnsafeBufferPointer(start: start, count: count)))
    let decoder = ImageDecoder(limits: ImageLimits(pixels: 1 << 18), thermalRange: count % 2 == 0 ? nil : 1000...2000)
    for target in [nil, Image.Size(width: 4, height: 3)] {
        guard let image = try? decoder.decode(Data(bytes), for: target) else { continue }
        precondition(image.channels == 3 && image.width * image.height <= 1 << 18)
    }
    return 0
}

/// A PNG whose chunks have the checksums of their contents: chance never finds one, and nothing behind it would be tried.
private func withSoundChecksums(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) else { return bytes }
    var at = 8
    while at + 12 <= bytes.count {
        let length = bytes[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) }
        let end = at + 8 + length
        guard end + 4 <= bytes.count else { break }
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes[(at + 4)..<end] { crc = crcs[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
        for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: ~crc >> (24 - 8 * index)) }
        at = end + 4
    }
    return bytes
}

/// ISO 3309.
private let crcs: [UInt32] = (0..<256).map { value in
    (0..<8).reduce(UInt32(value)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
}
