import Documents
import Foundation
import Gallery
import Logging
import Server
import Testing

@Suite("Configuration of an OpenID provider")
struct OpenIDConfigurationTests {
    private static let whole = """
        openid:
          issuer: https://id.example.org/realms/site
          audience: triptych
          algorithms: [RS256, ES256]
          roles: {claim: [realm_access, roles], read: [reader], admin: [operator]}
          galleries: {claim: [groups], map: [{value: /north, galleries: [gate]}], all: [/all]}
        """

    private func read(_ yaml: String, _ environment: [String: String] = [:]) throws -> ServerConfiguration.OpenID? {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(yaml.utf8).write(to: file)
        return try ConfigurationSources(file: file.path, environment: environment).read().configuration.openID
    }

    @Test("it is read from a file, and from the environment alone")
    func sources() throws {
        let found = try #require(try read(Self.whole))
        #expect(found.algorithms == [.rs256, .es256] && found.roles.claim == ["realm_access", "roles"])
        #expect(found.roles.values == [.read: ["reader"], .enrol: [], .admin: ["operator"]])
        #expect(found.galleries.map == [.init(value: "/north", galleries: ["gate"])])
        #expect(found.galleries.all == ["/all"] && found.galleries.standard == .none)
        let given = try read(
            "",
            [
                "TRIPTYCH_OPENID__ISSUER": "https://id.example.org/realms/site",
                "TRIPTYCH_OPENID__AUDIENCE": "triptych",
                "TRIPTYCH_OPENID__ALGORITHMS": "RS256,ES256",
                "TRIPTYCH_OPENID__ROLES__CLAIM": "realm_access,roles", "TRIPTYCH_OPENID__ROLES__READ": "reader",
                "TRIPTYCH_OPENID__ROLES__ADMIN": "operator", "TRIPTYCH_OPENID__GALLERIES__CLAIM": "groups",
                "TRIPTYCH_OPENID__GALLERIES__ALL": "/all",
                "TRIPTYCH_OPENID__GALLERIES__MAP": "[{value: /north, galleries: [gate]}]",
            ])
        #expect(given == found)
        #expect(try read("") == nil)
    }

    @Test(
        "what is missing, not asymmetric, no URL or unknown stops the start",
        arguments: [
            ("issuer: https://id.example.org/realms/site", "", "openid.issuer"),
            ("issuer: https://id.example.org/realms/site", "issuer: http://id.example.org", "openid.issuer"),
            ("issuer: https://id.example.org/realms/site", "issuer: https://a:b@id.example.org", "openid.issuer"),
            ("audience: triptych", "", "openid.audience"), ("audience: triptych", "audience: ''", "openid.audience"),
            ("[RS256, ES256]", "[]", "openid.algorithms"), ("[RS256, ES256]", "[none]", "openid.algorithms"),
            ("[RS256, ES256]", "[RS256, HS256]", "openid.algorithms: expected asymmetric algorithms"),
            ("algorithms: [RS256, ES256]", "", "openid.algorithms"),
            ("audience: triptych", "audience: triptych\n  keys_url: ftp://a.org/", "openid.keys_url"),
            ("audience: triptych", "audience: triptych\n  leeway_seconds: 301", "openid.leeway_seconds"),
            ("audience: triptych", "audience: triptych\n  secret: x", "openid.secret"),
            ("claim: [realm_access, roles], ", "", "openid.roles.claim"),
            ("claim: [realm_access, roles]", "claim: []", "openid.roles.claim"),
            ("read: [reader], admin: [operator]", "", "openid.roles.read"),
            ("read: [reader]", "read: [operator]", "openid.roles.read"),
            ("read: [reader]", "write: [reader]", "openid.roles.write"),
            ("claim: [groups], ", "", "openid.galleries.claim"),
            ("galleries: [gate]", "galleries: []", "openid.galleries.map.0.galleries"),
            ("value: /north, ", "", "openid.galleries.map.0.value"),
            ("value: /north", "value: /north, x: 1", "map.0.x"),
        ])
    func refused(_ text: String, _ other: String, _ reason: String) {
        let yaml = Self.whole.replacing(text, with: other)
        #expect(yaml != Self.whole)
        let error = #expect(throws: ServerError.self) { try read(yaml) }
        #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
    }

    @Test("a start beyond loopback takes a key, or such a provider; a file that is not there is named")
    func start() async throws {
        let realm = try await Realm()
        try await realm.run(server: { $0.host = "0.0.0.0" }) { server in
            let token = try realm.token()
            #expect(try await server.send("GET", "/v1/galleries").status == 401)
            #expect(try await server.send("GET", "/v1/galleries", key: token).status == 200)
        }
        var configuration = ServerConfiguration()
        configuration.openID = realm.configuration
        configuration.openID?.caFile = "/nowhere"
        (configuration.database, configuration.checkpoint) = ("/tmp/none.sqlite", #filePath)
        let error = #expect(throws: ServerError.self) { try configuration.check(Logger(label: "test")) }
        #expect(error.map { "\($0)".hasPrefix("openid.ca_file: expected a file") } == true)
    }
}
