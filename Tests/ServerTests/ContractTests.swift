import Foundation
import Testing
import Yams

@Suite("Contract")
struct ContractTests {
    @Test("openapi.yaml and the server name the same paths and methods")
    func operations() async throws {
        try await TestServer.run { server in
            let text = String(decoding: try await server.send("GET", "/openapi.yaml").data, as: UTF8.self)
            let document = try #require(try Yams.load(yaml: text) as? [String: Any])
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            let methods: Set = ["get", "post", "put", "patch", "delete"]
            let declared = paths.flatMap { path, operations in
                operations.keys.filter(methods.contains).map { "\($0.uppercased()) \(path)" }
            }
            #expect(server.routes.filter { !$0.hasPrefix("HEAD ") }.sorted() == declared.sorted())
        }
    }

    @Test("every reference within openapi.yaml leads somewhere")
    func references() async throws {
        try await TestServer.run { server in
            let text = String(decoding: try await server.send("GET", "/openapi.yaml").data, as: UTF8.self)
            let document = try #require(try Yams.load(yaml: text))
            let references = text.matches(of: /\$ref: ["']?#\/([^"'\s},]+)/).map { String($0.output.1) }
            #expect(references.count > 20)
            for reference in references {
                let target = reference.split(separator: "/").reduce(document as Any?) { node, key in
                    (node as? [String: Any])?[String(key)]
                }
                #expect(target != nil, "\(reference)")
            }
        }
    }
}
