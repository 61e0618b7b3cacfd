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
        #expect(throws: JSONParser.SyntaxError.self) { try parse(text) }
    }

    @Test("two equal keys are refused, also when one is written with escapes, and at any level")
    func duplicates() {
        for text in [#"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"[{"b":{"a":1,"a":2}}]"#] {
            #expect(throws: JSONParser.SyntaxError.self) { try parse(text) }
        }
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] {
            #expect(throws: JSONParser.SyntaxError.self) { try JSONParser.parse(bytes) }
        }
    }

    @Test("nesting is read to its limit and refused beyond")
    func depth() throws {
        let limit = JSONParser.maximumDepth
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(try parse(nested(limit)).array != nil)
        #expect(throws: JSONParser.SyntaxError.self) { try parse(nested(limit + 1)) }
        #expect(throws: JSONParser.SyntaxError.self) { try parse(nested(1_000_000)) }
    }
}
