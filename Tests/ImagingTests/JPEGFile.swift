import Foundation

/// A progressive grey JPEG file (ITU-T T.81), all of it mid-grey, put together scan by scan.
struct JPEGFile {
    private(set) var bytes = Data([0xFF, 0xD8])
    private let blocks: Int

    init(width: Int, height: Int) {
        blocks = (width + 7) / 8 * ((height + 7) / 8)
        add(0xDB, [0] + [UInt8](repeating: 1, count: 64))
        add(0xC2, [8] + bigEndian(height)[2...] + bigEndian(width)[2...] + [1, 1, 0x11, 0])
        // One code of one bit in each table: a difference of nothing, and a run of 2^14 empty blocks or more.
        for (table, symbol) in [(0x00, 0x00), (0x10, 0xE0)] as [(UInt8, UInt8)] {
            add(0xC4, [table, 1] + [UInt8](repeating: 0, count: 15) + [symbol])
        }
        addScan(of: 0...0, approximation: 0x00, data: [UInt8](repeating: 0, count: (blocks + 7) / 8))
    }

    /// Adds a scan of a coefficient that is 0 in all blocks: its first one, without its last `precision` bits, or the one that
    /// refines these by a bit.
    mutating func addEmptyScan(of coefficient: UInt8, precision: UInt8, refines: Bool) {
        // A run of 32767 blocks: its code 0 and fourteen ones. What follows the last run's start is not looked at.
        let runs = (blocks + 32766) / 32767
        let bits = (0..<runs).flatMap { _ in [0] + [UInt8](repeating: 1, count: 14) }
        let data = stride(from: 0, to: bits.count, by: 8).flatMap { start in
            let byte = (0..<8).reduce(UInt8(0)) { $0 << 1 | (start + $1 < bits.count ? bits[start + $1] : 1) }
            return byte == 0xFF ? [byte, 0] : [byte]
        }
        addScan(
            of: coefficient...coefficient, approximation: (refines ? precision + 1 : 0) << 4 | precision, data: data)
    }

    /// The file with its end.
    var finished: Data { bytes + [0xFF, 0xD9] }

    private mutating func addScan(of band: ClosedRange<UInt8>, approximation: UInt8, data: [UInt8]) {
        add(0xDA, [1, 1, 0x00, band.lowerBound, band.upperBound, approximation])
        bytes += data
    }

    mutating func add(_ marker: UInt8, _ contents: [UInt8]) {
        bytes += [0xFF, marker] + bigEndian(contents.count + 2)[2...] + contents
    }
}
