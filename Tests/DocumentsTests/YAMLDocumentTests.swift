import Documents
import Testing

@Suite("YAML")
struct YAMLDocumentTests {
    @Test("scalars have their types, and a quoted one is a string whatever it looks like")
    func scalars() throws {
        let text = """
            whole: 3
            number: 1e-5
            truth: yes
            nothing: ~
            text: a b
            quoted: "1"
            also: 'no'
            date: 2020-01-01
            list: [1, 2.5, x]
            nested: {a: {b: []}}
            """
        #expect(
            try YAMLDocument.parse(text)
                == .object([
                    "whole": .integer(3), "number": .number(1e-5), "truth": .bool(true), "nothing": .null,
                    "text": .string("a b"), "quoted": .string("1"), "also": .string("no"),
                    "date": .string("2020-01-01"), "list": .array([.integer(1), .number(2.5), .string("x")]),
                    "nested": .object(["a": .object(["b": .array([])])]),
                ]))
        #expect(try YAMLDocument.parse("") == .null)
        #expect(try YAMLDocument.parse("# nothing") == .null)
    }

    @Test("what is written is read again, whatever strings look like")
    func roundTrip() throws {
        let value = JSONValue.object([
            "a": .array(["1", "1.5", "yes", "~", "", "a: b", "- x", "2020-01-01", "a\nb"].map(JSONValue.string)),
            "b": .array([.number(1e-5), .number(0.1), .number(-1e300), .integer(.max), .bool(false), .null]),
            "0": .object(["x": .object([:])]),
        ])
        #expect(try YAMLDocument.parse(YAMLDocument.text(value)) == value)
    }

    @Test(
        "what YAML allows and a document must not is refused",
        arguments: [
            "a: 1\na: 2", "1: a\n\"1\": b", "? [a]\n: b", "a: .inf", "a: .nan", "a: b: c", "a\n---\nb", "a: *x", "\t{",
        ])
    func refused(text: String) {
        #expect {
            _ = try YAMLDocument.parse(text)
        } throws: {
            if case DocumentError.syntax(.yaml, _) = $0 { true } else { false }
        }
    }

    @Test("aliases of aliases and deep nesting are refused before they swell")
    func bombs() {
        var bomb = "a0: &a0 [1,1,1,1,1,1,1,1]\n"
        for level in 1..<20 {
            bomb +=
                "a\(level): &a\(level) [" + [String](repeating: "*a\(level - 1)", count: 8).joined(separator: ",")
                + "]\n"
        }
        #expect(throws: DocumentError.tooManyNodes(.yaml, limit: 1 << 16)) { try YAMLDocument.parse(bomb) }
        let nested = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(throws: DocumentError.tooDeep(.yaml, limit: 64)) { try YAMLDocument.parse(nested) }
        #expect {
            try YAMLDocument.parse(String(repeating: "[", count: 1 << 20))
        } throws: {
            "\($0)".utf8.count < 1000
        }
    }
}
