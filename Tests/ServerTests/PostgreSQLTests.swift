import DatabaseFixtures
import Foundation
import Gallery
import Logging
import Server
import ServingFixtures
import Testing

/// The main path over HTTP, with the gallery in PostgreSQL. All other tests of this folder run on it with
/// `TRIPTYCH_TEST_ENGINE=postgresql`.
@Suite(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct PostgreSQLTests {
    @Test("What is enrolled is found, listed, told as events and erased")
    func mainPath() async throws {
        try await TestServer.run(on: .postgresql) { server in
            try await server.enrol(3)
            let triple = try ["rgb": picture(1), "nir": picture(101), "tir": picture(201)]
            let found = try await server.sendForm("/v1/galleries/g/queries", triple)
            #expect(found.status == 200)
            #expect(found.json["matches"]?.array?.first?["identity"]?.string == "car-1")
            let gallery = try await server.send("GET", "/v1/galleries/g").json
            #expect(gallery["identities"]?.integer == 3 && gallery["images"]?.integer == 9)
            #expect(try await server.send("GET", "/v1/galleries/g/identities?limit=2").status == 200)
            #expect(try await server.send("GET", "/v1/galleries/g/facets").status == 200)
            #expect(try await server.send("DELETE", "/v1/galleries/g/identities/car-1").status == 204)
            let after = try await server.sendForm("/v1/galleries/g/queries", triple)
            #expect(after.json["matches"]?.array?.contains { $0["identity"]?.string == "car-1" } == false)
            #expect(try await server.send("GET", "/readyz").status == 200)
        }
    }

    @Test("A database that is no file needs a folder of models, and an address without a password")
    func configuration() throws {
        for (lines, said) in [
            ("database: postgresql://u@h/g", "models: expected a folder"),
            ("database: postgresql://u:secret@h/g\nmodels: m", "without a password"),
        ] {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data(lines.utf8).write(to: file)
            let error = #expect(throws: ServerError.self) {
                try ServerConfiguration(path: file.path).check(.init(label: "test"))
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains(said))
        }
    }

    @Test("The folder of models is made by the first start, so a configuration without it is one to start with")
    func newFolder() throws {
        let folder = FileManager.default.temporaryDirectory
        let file = folder.appendingPathComponent("\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        let models = folder.appendingPathComponent("models-\(UUID().uuidString)").path
        try Data("database: postgresql://u@h/g\nmodels: \(models)\n".utf8).write(to: file)
        try ServerConfiguration(path: file.path).check(.init(label: "test"))
        try Data("database: postgresql://u@h/g\nmodels: \(models)/deeper\n".utf8).write(to: file)
        #expect(throws: ServerError.self) { try ServerConfiguration(path: file.path).check(.init(label: "test")) }
    }
}
