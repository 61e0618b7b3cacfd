import Documents
import Foundation
import Server
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

    /// What anybody is ever told; nobody hears of a client that has left.
    private static let problems = Set(ProblemType.allCases.filter { $0 != .clientLeft })

    @Test("the contract, the page about HTTP and the server name the same problems, each with the same status")
    func problems() throws {
        let contract = try Contract.shared.get()
        var declared: [String: Set<String>] = [:]
        for (method, path, operation) in contract.operations {
            let responses = (operation["responses"]?.object ?? [:]).merging(
                contract.document["x-any-request"]?.object ?? [:]
            ) { $1 }
            for (status, response) in responses where status >= "400" {
                let schema = contract.resolved(response)["content"]?["application/problem+json"]?["schema"]
                let types = try #require(
                    schema?["properties"]?["type"]?["enum"]?.array, "\(method) \(path) \(status) has no types")
                declared[status, default: []].formUnion(types.compactMap(\.string))
            }
        }
        let served = Dictionary(grouping: Self.problems, by: { "\($0.status.code)" }).mapValues { Set($0.map(\.urn)) }
        #expect(declared == served)
        let page = try String(contentsOf: Contract.root.appendingPathComponent("docs/http.md"), encoding: .utf8)
        for problem in Self.problems { #expect(page.contains("`\(problem.rawValue)`"), "docs/http.md lacks it") }
    }

    @Test("every operation names the problems that it has a status for, and has a status for each of these")
    func problemsOfOperations() throws {
        let contract = try Contract.shared.get()
        func problems(_ list: JSONValue?) throws -> Set<ProblemType> {
            Set(try (list?.array ?? []).map { try #require(ProblemType(rawValue: $0.string ?? ""), "\($0)") })
        }
        let common = try problems(contract.document["x-any-problems"])
        func statuses(_ problems: Set<ProblemType>) -> Set<String> { Set(problems.map { "\($0.status.code)" }) }
        let any = Set((contract.document["x-any-request"]?.object ?? [:]).keys)
        #expect(any == statuses(common))
        var all = common
        for (method, path, operation) in contract.operations {
            let own = try problems(operation["x-problems"])
            let declared = Set((operation["responses"]?.object ?? [:]).keys.filter { $0 >= "400" })
            #expect(statuses(own).isSubset(of: declared), "\(method) \(path)")
            #expect(declared.isSubset(of: statuses(own.union(common))), "\(method) \(path)")
            #expect(own.isDisjoint(with: common), "\(method) \(path)")
            all.formUnion(own)
        }
        #expect(all == Self.problems)
    }
}
