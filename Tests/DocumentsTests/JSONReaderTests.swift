import Documents
import Foundation
import Testing

@Suite("JSON read piece by piece")
struct JSONReaderTests {
    /// `{"images": {NAME: base64}, …}`: the images, and the rest.
    private func read(_ document: Data, limits: JSONLimits = JSONLimits()) throws -> (
        [String: Data], [String: JSONValue]
    ) {
        var reader = JSONReader(document, limits: limits)
        var images: [String: Data] = [:]
        var others: [String: JSONValue] = [:]
        try reader.object("") { key, reader throws(DocumentError) in
            guard key == "images" else {
                others[key] = try reader.value()
                return
            }
            try reader.object(key) { name, reader throws(DocumentError) in
                images[name] = try reader.base64("images.\(name)")
            }
        }
        try reader.end()
        return (images, others)
    }

    @Test("base64 is decoded from the document, also with escapes, from a slice, and null is nothing")
    func images() throws {
        let text =
            #"x { "a": [1, {"b": 2}], "images" : {"rgb":"AAH/","nir": "AAH\/", "tir": null, "e": ""}, "z":null } "#
        let (images, others) = try read(Data(text.utf8)[1...])
        #expect(images == ["rgb": Data([0, 1, 255]), "nir": Data([0, 1, 255]), "e": Data()])
        #expect(others == ["a": .array([.integer(1), .object(["b": .integer(2)])]), "z": .null])
    }

    @Test(
        "what is not base64 of an object's members is refused with its field",
        arguments: [
            (#"{"images":{"rgb":7}}"#, "images.rgb: expected base64, found 7"),
            (#"{"images":{"rgb":"%"}}"#, "images.rgb: expected base64, found a string of 1 bytes that is not"),
            (#"{"images":{"rgb":"AAA"}}"#, "images.rgb: expected base64, found a string of 3 bytes that is not"),
            (#"{"images":{"rgb":"AA\n=="}}"#, "images.rgb: expected base64"),
            (#"{"images":[1]}"#, "images: expected an object, found [1]"),
            ("[]", "expected an object, found []"),
            (#"{"images":{"rgb":"","rgb":""}}"#, "not JSON: expected no second \"rgb\" at byte 20"),
            (#"{"images":{},"images":{}}"#, "not JSON: expected no second"),
            (#"{"images":{"rgb":"AAAA}"#, "not JSON: expected '\"' at byte 23"),
            (#"{"images":{} "b":1}"#, "not JSON: expected '}'"), ("{", "not JSON: expected a key"), ("", "not JSON"),
            ("{} x", "not JSON: expected the end at byte 3"), (#"{"a":1,}"#, "not JSON: expected a key"),
        ])
    func refused(text: String, message: String) {
        #expect {
            _ = try read(Data(text.utf8))
        } throws: { error in
            let isAsExpected = error is DocumentError && "\(error)".hasPrefix(message)
            if !isAsExpected { Issue.record("\(error)") }
            return isAsExpected
        }
    }

    @Test("limits of depth and number hold through all pieces")
    func limits() throws {
        let document = Data(#"{"images":{"a":"","b":""},"c":[[1]]}"#.utf8)
        #expect(try read(document, limits: JSONLimits(depth: 4, nodes: 11)).0.count == 2)
        #expect(throws: DocumentError.tooManyNodes(.json, limit: 10)) {
            _ = try read(document, limits: JSONLimits(nodes: 10))
        }
        #expect(throws: DocumentError.tooDeep(.json, limit: 3)) { _ = try read(document, limits: JSONLimits(depth: 3)) }
    }

    @Test("images of tens of megabytes come back bit for bit")
    func large() throws {
        let image = Data((0..<(12 << 20)).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 11) })
        let document = Data(#"{"images":{"rgb":""#.utf8) + image.base64EncodedData() + Data("\"}}".utf8)
        #expect(try read(document).0 == ["rgb": image])
    }
}
