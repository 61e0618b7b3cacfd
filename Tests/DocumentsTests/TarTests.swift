import Documents
import Foundation
import Testing

struct TarTests {
    /// A file as it stands in an archive, with a header of any kind.
    private func file(_ name: String, _ contents: String, kind: Character = "0") -> [UInt8] {
        var header = TarWriter.header(name, size: contents.utf8.count)
        header[156] = kind.asciiValue ?? 0
        return summed(header) + Array(contents.utf8) + TarWriter.padding(contents.utf8.count)
    }

    private func summed(_ header: [UInt8]) -> [UInt8] {
        var header = header
        header.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        header.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8))
        return header
    }

    /// Names and contents; where it breaks, `error` is last.
    private func entries(_ archive: [UInt8]) -> [String] {
        var (reader, found) = (TarReader(size: archive.count) { Array(archive[$0]) }, [String]())
        do {
            while let entry = try reader.next() {
                let text = String(decoding: archive[entry.contents], as: UTF8.self)
                found.append("\(entry.name)\(entry.isFile ? "" : " (no file)"): \(text)")
            }
        } catch {
            found.append("error")
        }
        return found
    }

    @Test("Names in each of the ways that ustar, pax and GNU write them")
    func names() {
        let long = String(repeating: "directory/", count: 15) + "a.txt"
        let record = "path=\(long)\n"
        let pax = "\(record.utf8.count + 4) \(record)"
        var prefixed = TarWriter.header("b.txt", size: 1)
        prefixed.replaceSubrange(345..<351, with: Array("a/long".utf8))
        let archive =
            file("plain", "1") + file("./dotted", "2") + file("PaxHeader", pax, kind: "x") + file("short", "3")
            + file("././@LongLink", long + "\0", kind: "L") + file("cut", "4") + summed(prefixed) + Array("5".utf8)
            + TarWriter.padding(1) + file("folder/", "", kind: "5") + file("link", "", kind: "2") + TarWriter.end
        #expect(
            entries(archive) == [
                "plain: 1", "dotted: 2", "\(long): 3", "\(long): 4", "a/long/b.txt: 5", "folder/ (no file): ",
                "link (no file): ",
            ])
    }

    @Test("GNU's binary sizes")
    func binarySize() {
        var header = TarWriter.header("large", size: 0)
        header.replaceSubrange(124..<136, with: [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3])
        #expect(entries(summed(header) + Array("abc".utf8) + TarWriter.padding(3) + TarWriter.end) == ["large: abc"])
        header.replaceSubrange(124..<136, with: [0xFF] + [UInt8](repeating: 0xFF, count: 11))
        #expect(entries(summed(header) + TarWriter.end) == ["error"])
    }

    @Test("What is cut off or broken is an error, after what is whole")
    func broken() {
        let archive = file("a", "1") + file("b", String(repeating: "x", count: 700)) + TarWriter.end
        #expect(entries(Array(archive[..<1024])) == ["a: 1", "error"], "no end")
        #expect(entries(Array(archive[..<1100])) == ["a: 1", "error"], "cut within a header")
        #expect(entries(Array(archive[..<1700])) == ["a: 1", "error"], "cut within contents")
        var flipped = archive
        flipped[1030] ^= 1
        #expect(entries(flipped) == ["a: 1", "error"], "a wrong sum")
        #expect(entries([]) == ["error"])
        #expect(entries([UInt8](repeating: 7, count: 600)) == ["error"])
        for pax in ["12 path=x", "5 path=x\n", "-1 path=x\n", "99999 path=x\n", "9 path x\n", "10 size=-1\n"] {
            #expect(entries(file("p", pax, kind: "x") + file("a", "1") + TarWriter.end) == ["error"], "\(pax)")
        }
        let huge = String(repeating: "n", count: 1 << 17)
        #expect(entries(file("l", huge, kind: "L") + file("a", "1") + TarWriter.end) == ["error"])
    }

    @Test("What the writer writes, the system's tar lists")
    func system() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tar-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("a.tar")
        try Data(file("lines/1.ndjson", "{}\n") + file("images/1.jpg", "pixels") + TarWriter.end).write(to: path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar", "xf", path.path, "-C", folder.path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let image = try Data(contentsOf: folder.appendingPathComponent("images/1.jpg"))
        #expect(String(decoding: image, as: UTF8.self) == "pixels")
    }
}
