import Documents
import Testing

@Suite("Strict JSON")
struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue {
        try JSONParser.parse(Array(text.utf8))
    }

    @Test("every kind of value is read")
    func values() throws {
        let text = """
             { "a" : [ null , true, false, 0, -1, 9223372036854775807, 1.5, -2e3, 1E-2, 9223372036854775808 ],
             "b\\u00e9\\n\\/" : "\\ud83d\\ude00 é\u{7F}" , "c": {}, "d": [], "": "" }\t
            """
        #expect(
            try parse(text)
                == .object([
                    "a": .array([
                        .null, .bool(true), .bool(false), .integer(0), .integer(-1), .integer(.max), .number(1.5),
                        .number(-2000), .number(0.01), .number(9_223_372_036_854_775_808),
                    ]),
                    "bé\n/": .string("😀 é\u{7F}"), "c": .object([:]), "d": .array([]), "": .string(""),
                ]))
    }

    @Test(
        "what was read and written is equal when it is read again",
        arguments: ["0.0", "-0.0", "64.0", "1e3", "-2.5", "9223372036854775808", "[{\"a\": 1.0}, null]"])
    func roundTrip(text: String) throws {
        let value = try parse(text)
        #expect(try parse(value.canonicalText()) == value)
        #expect(value != .array([]) && value != .integer(7))
    }

    @Test("a whole number is equal to the same with a fraction of nothing, and to none that is merely near")
    func equality() {
        #expect(JSONValue.integer(7) == .number(7) && JSONValue.number(7) == .integer(7))
        #expect(JSONValue.integer(7) != .number(7.5) && JSONValue.number(7.5) != .integer(7))
        #expect(JSONValue.integer(.max) != .number(9_223_372_036_854_775_808))
    }

    @Test(
        "what the grammar does not allow is refused",
        arguments: [
            "", " ", "{", "}", "[", "[1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "nul", "True",
            "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity", "1e999", "1 2", "\"", "\"\\\"",
            "\"\\x\"",
            "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "'a'", "[1]]",
            "{\"a\":1 \"b\":2}",
            "// c\n1", "\u{FEFF}1",
        ])
    func refusals(text: String) {
        #expect(throws: DocumentError.self) { try parse(text) }
    }

    @Test("two equal keys are refused, also when one is written with escapes, and at any level")
    func duplicates() {
        for text in [#"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"[{"b":{"a":1,"a":2}}]"#] {
            #expect(throws: DocumentError.self) { try parse(text) }
        }
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] {
            #expect(throws: DocumentError.self) { try JSONParser.parse(bytes) }
        }
    }

    @Test("nesting is read to its limit and refused beyond")
    func depth() throws {
        let limit = JSONLimits().depth
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(try parse(nested(limit)).array != nil)
        for levels in [limit + 1, 1_000_000] {
            #expect(throws: DocumentError.tooDeep(.json, limit: limit)) { try parse(nested(levels)) }
        }
    }

    @Test("values and keys are read to their number's limit and refused beyond, long before the document ends")
    func nodes() throws {
        let limits = JSONLimits(nodes: 5)
        #expect(try JSONParser.parse(Array("[1,2,3,4]".utf8), limits: limits).array?.count == 4)
        #expect(try JSONParser.parse(Array(#"{"a":1,"b":2}"#.utf8), limits: limits).object?.count == 2)
        for text in ["[1,2,3,4,5]", #"{"a":1,"b":{}, "c"#, "[[],[[]],[],[],"] {
            #expect(throws: DocumentError.tooManyNodes(.json, limit: 5)) {
                try JSONParser.parse(Array(text.utf8), limits: limits)
            }
        }
        // 64 MB that would be values of a gigabyte.
        var zeros = [UInt8](repeating: UInt8(ascii: "0"), count: 64 << 20)
        for index in stride(from: 0, to: zeros.count, by: 2) { zeros[index] = UInt8(ascii: ",") }
        zeros[0] = UInt8(ascii: "[")
        #expect(throws: DocumentError.tooManyNodes(.json, limit: JSONLimits().nodes)) { try JSONParser.parse(zeros) }
    }

    @Test("strings of tens of megabytes are read, plain or all escapes, and a number of a megabyte is refused")
    func long() throws {
        let plain = [UInt8](repeating: UInt8(ascii: "A"), count: 40 << 20)
        #expect(try JSONParser.parse([0x22] + plain + [0x22]).string?.utf8.count == plain.count)
        var escapes = [UInt8](repeating: UInt8(ascii: "n"), count: 16 << 20)
        for index in stride(from: 0, to: escapes.count, by: 2) { escapes[index] = UInt8(ascii: "\\") }
        #expect(try JSONParser.parse([0x22] + escapes + [0x22]).string?.utf8.count == escapes.count / 2)
        #expect(throws: DocumentError.self) {
            try JSONParser.parse([UInt8](repeating: UInt8(ascii: "1"), count: 1 << 20))
        }
    }

    @Test("what is said of a value is short, however long the value is")
    func summaries() throws {
        let long = String(repeating: "x", count: 1 << 20)
        #expect(JSONValue.string(long).summary == "a string of 1048576 bytes")
        #expect(JSONValue.array([.integer(1), .string("a"), .null]).summary == #"[1,"a",null]"#)
        #expect(JSONValue.array([JSONValue](repeating: .null, count: 9)).summary == "a list of 9")
        #expect(try JSONValue.object(["b": .bool(true), "a": .integer(1)]).canonicalText() == #"{"a":1,"b":true}"#)
        let twice = "{\"\(long)\":1,\"\(long)\":2}"
        #expect {
            try parse(twice)
        } throws: {
            "\($0)".utf8.count < 200
        }
    }
}
