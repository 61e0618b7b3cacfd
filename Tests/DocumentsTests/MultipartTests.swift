import Documents
import Foundation
import Randomness
import Testing

@Suite("Multipart bodies")
struct MultipartTests {
    private func parts(_ text: String, boundary: String = "b") throws -> [MultipartParser.Part] {
        try MultipartParser(contentType: "multipart/form-data; boundary=\(boundary)", mostParts: 4)
            .parts(of: Data(text.utf8))
    }

    private func part(_ name: String, _ content: String) -> String {
        "--b\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(content)\r\n"
    }

    @Test("parts come back with their names, types and bytes, whatever the bytes are")
    func roundTrip() throws {
        let body =
            "preamble\r\n" + part("rgb", "a\r\n--c\r\n\r\n") + part("empty", "")
            + "--b\r\ncontent-type: image/png\r\nContent-Disposition: form-data; name=tir; filename=\"x;y\"\r\n\r\n1\r\n"
            + "--b--\r\nepilogue"
        let found = try parts(body)
        #expect(found.map(\.name) == ["rgb", "empty", "tir"])
        #expect(found.map { String(decoding: $0.bytes, as: UTF8.self) } == ["a\r\n--c\r\n\r\n", "", "1"])
        #expect(found.map(\.contentType) == [nil, nil, "image/png"])
        let quoted = try parts(body.replacing("--b", with: "--'b c'"), boundary: "\"'b c'\"")
        #expect(quoted.count == 3)
    }

    @Test(
        "what is not multipart is refused",
        arguments: [
            "", "--c--", "--b", "--b\r\n", "--b\r\n\r\nx\r\n--b--", "--b\r\nNo colon\r\n\r\nx\r\n--b--",
            "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
            "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end",
            "--b\r\nX: " + String(repeating: "y", count: 5000) + "\r\n\r\nx\r\n--b--",
        ])
    func refused(_ body: String) {
        #expect(throws: DocumentError.self) { try parts(body) }
    }

    @Test("more parts than the limit, and boundaries out of RFC 2046's range, are refused")
    func limits() throws {
        #expect(try parts(String(repeating: part("a", "x"), count: 4) + "--b--").count == 4)
        #expect(throws: DocumentError.tooManyParts(limit: 4)) {
            try parts(String(repeating: part("a", "x"), count: 5) + "--b--")
        }
        #expect(throws: DocumentError.self) { try parts("", boundary: "") }
        #expect(throws: DocumentError.self) { try parts("", boundary: String(repeating: "b", count: 71)) }
    }

    @Test(
        "bodies of tens of megabytes that nearly are boundaries are read through once",
        arguments: [
            ("--------", "-"), (String(repeating: "-", count: 69) + "x", "\r\n" + String(repeating: "-", count: 71)),
        ])
    func nearMisses(boundary: String, filling: String) throws {
        var body = Data("--\(boundary)\r\nContent-Disposition: form-data; name=a\r\n\r\n".utf8)
        let start = body.count
        // Not a boundary at once after the headers' line break.
        let count = (16 << 20) / filling.utf8.count
        let repeated = Data("x".utf8) + Data(repeatElement(Array(filling.utf8), count: count).joined())
        body += repeated
        #expect(throws: DocumentError.syntax(.multipart, "part 1 does not end")) {
            try MultipartParser(contentType: "multipart/form-data; boundary=\(boundary)", mostParts: 4).parts(of: body)
        }
        body += Data("\r\n--\(boundary)--".utf8)
        let found = try MultipartParser(contentType: "multipart/form-data; boundary=\(boundary)", mostParts: 4)
            .parts(of: body)
        #expect(found.map(\.bytes.count) == [repeated.count])
        // A slice, not a copy.
        #expect(found.first?.bytes.startIndex == start)
    }

    @Test("mutated bodies are parsed or refused, never anything else")
    func fuzz() throws {
        let parser = try MultipartParser(contentType: "multipart/form-data; boundary=b", mostParts: 4)
        let seed = Array((part("rgb", "123") + part("options", "{}") + "--b--\r\n").utf8)
        let tokens: [[UInt8]] = ["\r\n", "--b", "--", "\r\n\r\n", ":", ";", "\"", "\\", "name=", "\0", "\u{ff}"].map {
            Array($0.utf8)
        }
        var generator = SplitMix64(seed: 1)
        for _ in 0..<20_000 {
            var body = seed
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let at = Int.random(in: 0...body.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: body.insert(contentsOf: tokens[generator.index(below: tokens.count)], at: at)
                case 1: body.removeSubrange(at..<min(body.count, at + Int.random(in: 0...9, using: &generator)))
                default: body.removeLast(min(body.count, Int.random(in: 0...20, using: &generator)))
                }
            }
            // A slice whose indices do not begin at 0, as a request's body may be.
            let slice = Data([0, 0, 0] + body)[3...]
            guard let found = try? parser.parts(of: slice) else { continue }
            #expect(found.count <= 4 && found.reduce(0) { $0 + $1.bytes.count } < body.count)
        }
    }
}
