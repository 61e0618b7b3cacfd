import Foundation
import Server
import Testing

/// The console's files, as they are in this working tree.
private enum ConsoleFolder {
    static let url = Contract.root.appendingPathComponent("Sources/Server/Console/Files")
    static let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path))?.sorted() ?? []
    static let types = [
        "css": "text/css; charset=utf-8", "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    ]

    static func data(_ name: String) throws -> Data { try Data(contentsOf: url.appendingPathComponent(name)) }
}

@Suite("The console")
struct ConsoleTests {
    @Test("every file is served as it is, with its type, a tag and the policy, and not again to who has it")
    func files() async throws {
        #expect(ConsoleFolder.names.count > 20)
        try await TestServer.run { server in
            for name in ConsoleFolder.names {
                let answer = try await server.send("GET", "/console/\(name)")
                let file = try ConsoleFolder.data(name)
                #expect(answer.status == 200 && answer.data == file, "\(name)")
                #expect(
                    answer.headers["content-type"] == ConsoleFolder.types[String(name.split(separator: ".").last ?? "")]
                )
                #expect(
                    answer.headers["x-content-type-options"] == "nosniff"
                        && answer.headers["cache-control"] == "no-cache")
                let policy = try #require(answer.headers["content-security-policy"])
                #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self';"))
                #expect(!policy.contains("unsafe") && !policy.contains("\n") && !policy.contains("*"))
                let tag = try #require(answer.headers["etag"])
                let again = try await server.send("GET", "/console/\(name)", headers: ["If-None-Match": tag])
                #expect(again.status == 304 && again.data.isEmpty && again.headers["etag"] == tag)
            }
        }
    }

    @Test("the page names every module that its script imports")
    func modules() throws {
        let page = String(decoding: try ConsoleFolder.data("index.html"), as: UTF8.self)
        let modules = ConsoleFolder.names.filter { $0.hasSuffix(".js") && $0 != "app.js" }
        let named = page.matches(of: /<link rel="modulepreload" href="([^"]+)">/).map { String($0.1) }
        #expect(named == modules)
    }

    @Test("the folder leads to the page, whatever precedes it, and nothing else is in it")
    func folder() async throws {
        try await TestServer.run { server in
            for path in ["/", "/console"] {
                // The test client follows redirections.
                let connection = RawConnection(server.port)
                await connection.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try #require(await connection.answers().first)
                try Contract.check("GET", path, answer.asAnswer)
                #expect(answer.status == 308 && answer.headers["location"] == "console/", "\(path)")
            }
            let (page, index) = (try await server.send("GET", "/console/"), try ConsoleFolder.data("index.html"))
            #expect(page.status == 200 && page.data == index)
            for path in ["/console/none.js", "/console/..%2Fopenapi.yaml", "/console//app.js", "/console/app.js/"] {
                #expect(try await server.send("GET", path).status == 404, "\(path)")
            }
            #expect(try await server.send("POST", "/console/").status == 405)
        }
    }

    @Test("it is open without a key, and compressed for who asks")
    func open() async throws {
        try await TestServer.run { server in
            _ = try await server.key("admin")
            #expect(try await server.send("GET", "/console/").status == 200)
            let contract = try await server.send("GET", "/openapi.yaml", headers: ["Accept-Encoding": "gzip"])
            let file = Contract.root.appendingPathComponent("openapi.yaml")
            #expect(try contract.headers["content-encoding"] == "gzip" && contract.data == Data(contentsOf: file))
            let script = try await server.send("GET", "/console/api.js", headers: ["Accept-Encoding": "gzip"])
            #expect(script.status == 200 && script.headers["content-encoding"] == "gzip")
            #expect(try await server.send("GET", "/v1/galleries").status == 401)
        }
    }

    @Test(
        "no file refers to an address elsewhere, makes markup of text, or keeps a key beyond a tab",
        arguments: ConsoleFolder.names)
    func inside(name: String) throws {
        let text = String(decoding: try ConsoleFolder.data(name), as: UTF8.self).replacing(
            "http://www.w3.org/2000/svg", with: "")
        for word in [
            "http:", "https:", "\"//", "'//", "url(", "@import", "innerHTML", "outerHTML", "insertAdjacentHTML",
            "document.write", "eval(", "new Function", "document.cookie", "style=\"", " onclick=",
        ] { #expect(!text.contains(word), "\(word)") }
        #expect(name == "theme.js" || !text.contains("localStorage"))
    }

    @Test("what a module imports is there", arguments: ConsoleFolder.names.filter { $0.hasSuffix(".js") })
    func imports(name: String) throws {
        let text = String(decoding: try ConsoleFolder.data(name), as: UTF8.self)
        for match in text.matches(of: /from "\.\/([^"]+)"/) {
            #expect(ConsoleFolder.names.contains(String(match.output.1)))
        }
        #expect(text.split(separator: "\n").count < 250)
    }
}
