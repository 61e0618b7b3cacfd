import Documents
import Foundation
import Testing
import Yams

/// `openapi.yaml`, with which every answer of the test client is compared: path, method, status, header fields, content
/// type and schema.
struct Contract: Sendable {
    let document: JSONValue

    /// Of this working tree.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// That of this working tree, which is the one that the server was built with.
    static let shared = Result {
        try Contract(yaml: String(contentsOf: root.appendingPathComponent("openapi.yaml"), encoding: .utf8))
    }

    init(yaml: String) throws { document = try YAMLDecoder().decode(JSONValue.self, from: yaml) }

    /// Records an issue for whatever an answer has that the contract does not, and the other way round.
    static func check(
        _ method: String, _ path: String, _ answer: TestServer.Answer, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for error in try shared.get().errors(method, path, answer) {
            Issue.record("\(method) \(path) → \(answer.status): \(error)", sourceLocation: sourceLocation)
        }
    }

    /// What the contract does not allow of an answer.
    func errors(_ method: String, _ path: String, _ answer: TestServer.Answer) -> [String] {
        let key = "\(answer.status)"
        let item = item(path)
        let operation = item?[method == "HEAD" ? "get" : method.lowercased()]
        // Answers that any request may get, whatever it asks for.
        let common = document["x-any-request"]
        guard let response = operation?["responses"]?[key] ?? common?[key] else {
            return ["the status is not in the contract"]
        }
        var errors = checkBody(resolved(response), method, answer)
        for name in resolved(response)["headers"]?.object?.keys.sorted() ?? []
        where answer.headers[name.lowercased()] == nil {
            errors.append("no \(name)")
        }
        if let problem = answer.problem, answer.status >= 400, !problems(operation).contains(problem) {
            errors.append("the operation does not name the problem \(problem)")
        }
        if answer.status == 405, answer.headers["allow"] != item.map(Self.allowed) {
            errors.append(
                "expected Allow: \(item.map(Self.allowed) ?? "none"), found \(answer.headers["allow"] ?? "none")")
        }
        return errors
    }

    private func checkBody(_ response: JSONValue, _ method: String, _ answer: TestServer.Answer) -> [String] {
        guard let content = response["content"]?.object else {
            return answer.data.isEmpty ? [] : ["expected no body, found \(answer.data.count) bytes"]
        }
        let type = answer.headers["content-type"]?.split(separator: ";").first.map(String.init) ?? "none"
        guard let media = content[type] else {
            return ["expected content type \(content.keys.sorted()), found \(type)"]
        }
        if method == "HEAD" { return answer.data.isEmpty ? [] : ["a body"] }
        guard type.hasSuffix("json"), let schema = media["schema"] else { return [] }
        return JSONSchema(document: document).errors(answer.json, schema)
    }

    /// What an operation may be answered with, and any request.
    private func problems(_ operation: JSONValue?) -> Set<String> {
        let lists = [document["x-any-problems"], operation?["x-problems"]]
        return Set(lists.flatMap { $0?.array ?? [] }.compactMap(\.string))
    }

    func resolved(_ value: JSONValue) -> JSONValue {
        guard let reference = value["$ref"]?.string else { return value }
        return JSONSchema(document: document).target(reference) ?? .null
    }

    /// What the contract says of a path.
    private func item(_ path: String) -> JSONValue? {
        // A folder, which has no template of its own.
        let path = path == "/console/" ? "/console" : path
        let segments = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false).map {
            $0.removingPercentEncoding ?? String($0)
        }
        // Of two that fit, the one without a parameter (OpenAPI 3.1, section 4.8.8.1): braces sort last.
        return document["paths"]?.object?.sorted { $0.key < $1.key }.first { template, _ in
            let pattern = template.split(separator: "/", omittingEmptySubsequences: false)
            return pattern.count == segments.count
                && zip(pattern, segments).allSatisfy { part, segment in
                    part == segment || (part.hasPrefix("{") && !["", ".", ".."].contains(segment))
                }
        }?.value
    }

    private static func allowed(_ item: JSONValue) -> String {
        let methods = Set(["get", "post", "put", "patch", "delete"]).intersection(item.object?.keys ?? [:].keys)
        return (methods.map { $0.uppercased() } + (methods.contains("get") ? ["HEAD"] : [])).sorted()
            .joined(separator: ", ")
    }
}
