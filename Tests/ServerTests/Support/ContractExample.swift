import Documents
import Foundation
import ServingFixtures
import Testing

/// A request that `openapi.yaml` gives as an example.
struct ContractExample: Sendable, CustomTestStringConvertible {
    let method: String
    /// With parameters, as `/v1/galleries/{gallery}`.
    let path: String
    let operation: String
    let mediaType: String
    /// nil for the only one.
    let name: String?
    /// As it is written there.
    let value: JSONValue
    /// Those that have an example.
    let headers: [String: String]

    var testDescription: String { [operation, mediaType, name].compactMap { $0 }.joined(separator: " ") }
}

extension Contract {
    static let methods = ["get", "post", "put", "patch", "delete"]

    /// Each operation: its method, its path and what is said of it.
    var operations: [(method: String, path: String, operation: JSONValue)] {
        (document["paths"]?.object ?? [:]).sorted { $0.key < $1.key }.flatMap { path, item in
            Self.methods.compactMap { method in item[method].map { (method.uppercased(), path, $0) } }
        }
    }

    /// Each example of a body, and the schema that it must fit; those that are missing have no value.
    var examples: [(example: ContractExample, schema: JSONValue?)] {
        operations.flatMap { method, path, operation in
            (operation["requestBody"]?["content"]?.object ?? [:]).flatMap { type, media in
                let named = media["examples"]?.object?.map { ($0.key as String?, $0.value["value"] ?? .null) }
                let fields = (operation["parameters"]?.array ?? []).compactMap { parameter in
                    parameter["name"]?.string.flatMap { name in
                        parameter["in"]?.string == "header"
                            ? parameter["example"].map { (name, "\($0.integer ?? 0)") } : nil
                    }
                }
                return (named ?? [(nil, media["example"] ?? .null)]).map { name, value in
                    let example = ContractExample(
                        method: method, path: path, operation: operation["operationId"]?.string ?? path,
                        mediaType: type, name: name, value: value,
                        headers: Dictionary(fields) { first, _ in first })
                    return (example, media["schema"])
                }
            }
        }
    }
}

extension ContractExample {
    /// The body and its content type, for a sighting and an archive in place of the example's.
    func body(sighting: String, files: [String: Data]) throws -> (type: String, data: Data) {
        if let text = value.string { return (mediaType, files[text] ?? Data(text.utf8)) }
        guard mediaType == "multipart/form-data" else { return (mediaType, try json(value, sighting)) }
        var body = Data()
        for (name, value) in (value.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            body += Data("--xyz\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n".utf8)
            body += try value.string.map { try #require(files[$0], "no file \($0)") } ?? json(value, sighting)
            body += Data("\r\n".utf8)
        }
        return ("multipart/form-data; boundary=xyz", body + Data("--xyz--\r\n".utf8))
    }

    /// The server has chosen another identifier than the contract.
    private func json(_ value: JSONValue, _ sighting: String) throws -> Data {
        let text = try value.canonicalText()
        return Data(text.replacing("019b7a3c-5f10-7c2e-9d4b-3f1f6a2b8c0d", with: sighting).utf8)
    }
}
