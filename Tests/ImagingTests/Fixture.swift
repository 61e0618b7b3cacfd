import Foundation
import Imaging
import Testing

/// Files beside the tests (Fixtures/make_images.py).
enum Fixture {
    static func bytes(_ name: String) throws -> Data {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"))
        return try Data(contentsOf: url)
    }

    /// Sizes by file name: [width, height] of the upright image.
    static func manifest() throws -> [String: [Int]] {
        try JSONDecoder().decode([String: [Int]].self, from: bytes("manifest.json"))
    }

    static func pixels(_ stem: String) throws -> [UInt8] { [UInt8](try bytes("\(stem).rgb")) }
}

/// The largest difference between two images' values.
func worst(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard a.count == b.count else { return .max }
    return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

enum Memory {
    /// The most that the process has held, in kilobytes.
    static func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber)))
    }
}
