import Documents
import Foundation
import Testing
import Yams

@Suite("The contract's validator")
struct JSONSchemaTests {
    private func errors(_ json: String, _ schema: String) throws -> [String] {
        let document = try YAMLDecoder().decode(
            JSONValue.self, from: "{Name: {type: string, maxLength: 3}, Open: {type: object}}")
        return JSONSchema(document: document).errors(
            try JSONParser.parse(Array(json.utf8)), try YAMLDecoder().decode(JSONValue.self, from: schema))
    }

    @Test("it finds what does not fit, and passes what does")
    func keywords() throws {
        for (schema, good, bad) in [
            ("type: integer", "1", "1.5"), ("type: [string, 'null']", "null", "1"), ("const: ok", "\"ok\"", "\"no\""),
            ("enum: [a, b]", "\"b\"", "\"c\""), ("{minimum: 1, maximum: 3}", "3", "3.1"),
            ("pattern: '^[a-z]$'", "\"a\"", "\"aa\""),
            ("{type: array, items: {type: number}}", "[1, 2.5]", "[1, \"2\"]"),
            ("{minItems: 1, maxItems: 2, uniqueItems: true}", "[1, 2]", "[1, 1]"),
            ("$ref: '#/Name'", "\"abc\"", "\"abcd\""),
            ("format: date-time", "\"2026-01-01T00:00:00.000Z\"", "\"2026-01-01\""),
            ("format: uuid", "\"7C0E9C1B-3C39-4C9B-8B0E-2E4C3D4E6F10\"", "\"7C0E\""),
            ("{type: object, required: [a]}", #"{"a": 1, "b": 2}"#, #"{"b": 2}"#),
            ("properties: {a: {type: string}}", #"{"a": "x"}"#, #"{"a": "x", "b": 1}"#),
            ("{properties: {a: {}}, additionalProperties: {type: number}}", #"{"b": 1}"#, #"{"b": "1"}"#),
            ("{allOf: [{properties: {a: {}}}], properties: {b: {}}}", #"{"a": 1, "b": 1}"#, #"{"c": 1}"#),
            ("oneOf: [{type: string}, {type: number}]", "1", "true"),
            ("oneOf: [{type: integer}, {type: number}]", "1.5", "1"),
            ("anyOf: [{required: [a]}, {required: [b]}]", #"{"b": 1}"#, #"{"c": 1}"#),
            ("propertyNames: {maxLength: 2}", #"{"ab": 1}"#, #"{"abc": 1}"#),
            ("properties: {a: {properties: {b: {}}}}", #"{"a": {"b": 1}}"#, #"{"a": {"c": 1}}"#),
        ] {
            #expect(try errors(good, schema) == [], "\(schema)")
            #expect(try !errors(bad, schema).isEmpty, "\(schema)")
        }
    }

    @Test("a keyword, a format or a reference that it does not know is an error, whatever the value")
    func unknown() throws {
        for schema in ["multipleOf: 2", "format: email", "$ref: '#/Nothing'", "$ref: other.yaml"] {
            #expect(try !errors("\"x\"", schema).isEmpty, "\(schema)")
        }
    }
}
