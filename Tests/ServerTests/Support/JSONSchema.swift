import Documents
import Foundation

/// Validates JSON against the part of JSON Schema 2020-12 that `openapi.yaml` uses. A keyword that it does not know is an
/// error, so that nothing is passed unread; and so is a member that a schema with `properties` does not name, so that no
/// answer says what the contract does not.
struct JSONSchema {
    /// What references lead into.
    let document: JSONValue

    private static let annotations: Set = [
        "description", "title", "default", "example", "examples", "contentMediaType", "contentEncoding",
    ]

    /// What was found of one value, by one or more schemas.
    private struct Findings {
        var errors: [String] = []
        /// Members that some schema has spoken of.
        var named: Set<String> = []
        /// Whether a schema says which members there are.
        var isClosed = false

        mutating func add(_ other: Findings) {
            errors += other.errors
            named.formUnion(other.named)
            isClosed = isClosed || other.isClosed
        }
    }

    /// What is wrong with a value; empty if nothing is.
    func errors(_ value: JSONValue, _ schema: JSONValue, at path: String = "$") -> [String] {
        let findings = check(value, schema, path)
        guard findings.isClosed, let members = value.object else { return findings.errors }
        let unknown = Set(members.keys).subtracting(findings.named).sorted()
        return findings.errors + unknown.map { "\(path).\($0): not in the contract" }
    }

    /// What a local reference leads to; nil if nowhere.
    func target(_ reference: String) -> JSONValue? {
        guard reference.hasPrefix("#/") else { return nil }
        return reference.dropFirst(2).split(separator: "/").reduce(document as JSONValue?) { $0?.object?[String($1)] }
    }

    private func check(_ value: JSONValue, _ schema: JSONValue, _ path: String) -> Findings {
        guard let keywords = schema.object else { return Findings(errors: ["\(path): not a schema: \(schema)"]) }
        var findings = Findings()
        for (keyword, argument) in keywords.sorted(by: { $0.key < $1.key }) where !Self.annotations.contains(keyword) {
            switch keyword {
            case "$ref", "allOf", "anyOf", "oneOf", "not": findings.add(combine(keyword, argument, value, path))
            case "properties", "patternProperties", "additionalProperties", "propertyNames", "required",
                "minProperties", "maxProperties", "unevaluatedProperties":
                findings.add(checkObject(keyword, argument, value, keywords, path))
            default:
                if let error = checkScalar(keyword, argument, value) ?? nil {
                    findings.errors.append("\(path): \(error)")
                }
                if keyword == "items", let array = value.array {
                    findings.errors += array.enumerated().flatMap { errors($1, argument, at: "\(path)[\($0)]") }
                }
            }
        }
        return findings
    }

    private func combine(_ keyword: String, _ argument: JSONValue, _ value: JSONValue, _ path: String) -> Findings {
        if keyword == "$ref" {
            guard let reference = argument.string, let target = target(reference) else {
                return Findings(errors: ["\(path): a reference to nowhere: \(argument)"])
            }
            return check(value, target, path)
        }
        if keyword == "not" {
            let fits = check(value, argument, path).errors.isEmpty
            return Findings(errors: fits ? ["\(path): \(value) is just what it must not be"] : [])
        }
        let all = (argument.array ?? []).map { check(value, $0, path) }
        var findings = Findings()
        if keyword == "allOf" {
            for one in all { findings.add(one) }
            return findings
        }
        let passed = all.filter { $0.errors.isEmpty }
        for one in passed { findings.add(one) }
        if keyword == "oneOf" ? passed.count != 1 : passed.isEmpty {
            findings.errors.append(
                "\(path): \(passed.count) of \(all.count) of \(keyword) fit: \(all.flatMap(\.errors))")
        }
        return findings
    }

    private func checkObject(
        _ keyword: String, _ argument: JSONValue, _ value: JSONValue, _ keywords: [String: JSONValue], _ path: String
    ) -> Findings {
        guard let members = value.object else { return Findings() }
        var findings = Findings()
        let properties = keywords["properties"]?.object ?? [:]
        switch keyword {
        case "properties":
            findings.isClosed = true
            findings.named = Set(properties.keys)
            for (name, schema) in properties {
                findings.errors += members[name].map { errors($0, schema, at: "\(path).\(name)") } ?? []
            }
        case "patternProperties":
            findings.isClosed = true
            for (pattern, schema) in argument.object ?? [:] {
                let matching = members.filter { Self.matches($0.key, pattern) }
                findings.named.formUnion(matching.keys)
                findings.errors += matching.flatMap { errors($0.value, schema, at: "\(path).\($0.key)") }
            }
        case "additionalProperties":
            let patterns = keywords["patternProperties"]?.object ?? [:]
            let others = members.keys.filter { name in
                properties[name] == nil && !patterns.keys.contains { Self.matches(name, $0) }
            }
            findings.named = Set(members.keys)
            if argument == .bool(false) {
                findings.errors += others.map { "\(path).\($0): not allowed" }
            } else if argument.object != nil {
                for name in others {
                    findings.errors += members[name].map { errors($0, argument, at: "\(path).\(name)") } ?? []
                }
            }
        case "propertyNames": findings.errors += members.keys.flatMap { errors(.string($0), argument, at: path) }
        case "required":
            let missing = (argument.array ?? []).compactMap(\.string).filter { members[$0] == nil }
            findings.errors += missing.map { "\(path).\($0): missing" }
        case "minProperties":
            if members.count < argument.integer ?? 0 { findings.errors.append("\(path): too few members") }
        case "maxProperties":
            if members.count > argument.integer ?? 0 { findings.errors.append("\(path): too many members") }
        default: findings.isClosed = argument == .bool(false)  // unevaluatedProperties
        }
        return findings
    }

    /// An error, or nil; of what does not apply to such a value, too.
    private func checkScalar(_ keyword: String, _ argument: JSONValue, _ value: JSONValue) -> String? {
        let found = "found \(String("\(value)".prefix(200)))"
        func expect(_ holds: Bool?, _ expected: String) -> String? {
            holds ?? true ? nil : "expected \(expected), \(found)"
        }
        switch keyword {
        case "type":
            let types = argument.array?.compactMap(\.string) ?? [argument.string ?? ""]
            return expect(types.contains { Self.isOfType(value, $0) }, "\(types)")
        case "enum": return expect(argument.array?.contains(value), "one of \(argument)")
        case "const": return expect(value == argument, "\(argument)")
        case "pattern":
            let pattern = argument.string ?? ""
            return expect(value.string.map { Self.matches($0, pattern) }, pattern)
        case "format": return checkFormat(argument.string ?? "", value)
        case "minLength":
            return expect(value.string.map { $0.unicodeScalars.count >= argument.integer ?? 0 }, "longer text")
        case "maxLength":
            return expect(value.string.map { $0.unicodeScalars.count <= argument.integer ?? 0 }, "shorter text")
        case "minimum": return expect(value.number.map { $0 >= argument.number ?? 0 }, "at least \(argument)")
        case "maximum": return expect(value.number.map { $0 <= argument.number ?? 0 }, "at most \(argument)")
        case "minItems": return expect(value.array.map { $0.count >= argument.integer ?? 0 }, "more items")
        case "maxItems": return expect(value.array.map { $0.count <= argument.integer ?? 0 }, "fewer items")
        case "uniqueItems":
            return expect(
                value.array.map { list in list.indices.allSatisfy { !list[..<$0].contains(list[$0]) } }, "each once")
        case "items": return nil
        default: return "an unknown keyword: \(keyword)"
        }
    }

    /// Whether a part of a text fits a pattern; nothing fits one that is none.
    private static func matches(_ text: String, _ pattern: String) -> Bool {
        guard let regex = try? Regex(pattern).matchingSemantics(.unicodeScalar) else { return false }
        return text.firstMatch(of: regex) != nil
    }

    private static func isOfType(_ value: JSONValue, _ type: String) -> Bool {
        switch type {
        case "object": value.object != nil
        case "array": value.array != nil
        case "string": value.string != nil
        case "integer": value.integer != nil
        case "number": value.number != nil
        case "boolean": value.bool != nil
        case "null": value == .null
        default: false
        }
    }

    private func checkFormat(_ format: String, _ value: JSONValue) -> String? {
        guard let text = value.string else { return nil }
        let fits: Bool
        switch format {
        case "date-time": fits = text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/) != nil
        case "uuid": fits = UUID(uuidString: text) != nil
        case "uri": fits = URL(string: text)?.scheme != nil
        case "uri-reference": fits = URL(string: text) != nil
        default: return "an unknown format: \(format)"
        }
        return fits ? nil : "expected \(format), found \(text)"
    }
}
