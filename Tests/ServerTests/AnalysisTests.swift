import Documents
import Foundation
import ServingFixtures
import Testing

@Suite("Evaluations and maps over HTTP")
struct AnalysisTests {
    private let path = "/v1/galleries/g"

    private func fill(_ server: TestServer) async throws {
        _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
        for number in 0..<15 {
            for shift in [0, 1] {
                _ = try await server.sendForm(
                    "\(path)/identities/car-\(number)/sightings", ["rgb": picture(number * 20 + shift)],
                    options: #"{"camera": "c\#(shift)"}"#)
            }
        }
    }

    private func run(_ server: TestServer, _ analysis: String, _ body: String) async throws -> JSONValue {
        let asked = try await server.sendJSON("POST", "\(path)/\(analysis)", body)
        #expect(asked.status == 202, "\(asked.json)")
        return try await server.ended(try #require(asked.json["id"]?.string))
    }

    @Test("an evaluation is a job, and what it found is read at its own path, by today's names")
    func evaluation() async throws {
        try await TestServer.run { server in
            try await fill(server)
            let none = try await server.send("GET", "\(path)/evaluations/latest")
            #expect(none.status == 404 && none.problem == "evaluation-not-found")
            let job = try await run(server, "evaluations", #"{"samples": 20, "seed": 3}"#)
            #expect(job["kind"]?.string == "evaluation" && job["state"]?.string == "succeeded", "\(job)")
            #expect(job["done"]?.integer == 20 && job["result"]?["samples"]?.integer == 20)
            let found = try await server.send("GET", "\(path)/evaluations/latest").json
            #expect(found["samples"]?.integer == 20 && found["sightings"]?.integer == 30 && found["seed"]?.integer == 3)
            #expect(found["stale"]?.bool == false && found["all"]?["queries"]?.integer == 20)
            #expect(found["cross_camera"]?["queries"]?.integer == 20 && found["errors"] == nil)
            let scores = try #require(found["scores"]?[0])
            #expect(scores["modalities"] == .array([.string("rgb")]))
            #expect(scores["impostor"]?.array?.compactMap(\.integer).reduce(0, +) == 20)
            #expect(found["all"]?["mean_average_precision"] == job["result"]?["mean_average_precision"])
            #expect(try await server.send("GET", "\(path)/evaluations/latest?model=other").status == 404)
        }
    }

    @Test("a map is a job, and read in pages, without what was erased since")
    func map() async throws {
        try await TestServer.run { server in
            try await fill(server)
            #expect(try await server.send("GET", "\(path)/maps/latest").problem == "map-not-found")
            let job = try await run(server, "maps", #"{"perplexity": 4}"#)
            #expect(job["kind"]?.string == "mapping" && job["state"]?.string == "succeeded", "\(job)")
            #expect(job["done"]?.integer == 2 * 30 + 750 && job["done"] == job["total"])
            _ = try await server.send("DELETE", "\(path)/identities/car-3")
            let first = try await server.send("GET", "\(path)/maps/latest?limit=20").json
            let next = try #require(first["next"]?.string)
            let second = try await server.send("GET", "\(path)/maps/latest?limit=20&cursor=\(next)").json
            #expect(second["next"] == .null && second["id"] == first["id"] && first["samples"]?.integer == 30)
            #expect(first["trustworthiness"]?.number ?? 0 > 0.5 && first["stale"]?.bool == false)
            let points = (first["items"]?.array ?? []) + (second["items"]?.array ?? [])
            #expect(points.count == 28 && !points.contains { $0["identity"]?.string == "car-3" })
            #expect(points.allSatisfy { abs($0["x"]?.number ?? 2) <= 1 && abs($0["y"]?.number ?? 2) <= 1 })
        }
    }

    @Test(
        "a job over too little fails and says so; bodies that make no sense, and galleries that are not there, are problems"
    )
    func refused() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for analysis in ["evaluations", "maps"] {
                let failed = try await run(server, analysis, "{}")
                #expect(failed["state"]?.string == "failed")
                #expect(failed["reason"]?.string?.contains("at least 2 sightings") == true)
                for body in [#"{"samples": 0}"#, #"{"samples": 100001}"#, #"{"seed": -1}"#, #"{"x": 1}"#, "[]"] {
                    #expect(try await server.sendJSON("POST", "\(path)/\(analysis)", body).status == 400, "\(body)")
                }
                #expect(try await server.sendJSON("POST", "/v1/galleries/x/\(analysis)", "{}").status == 404)
                #expect(
                    try await server.send("GET", "/v1/galleries/x/\(analysis)/latest").problem == "gallery-not-found")
            }
            for body in [#"{"samples": 20001}"#, #"{"perplexity": 1}"#, #"{"perplexity": 101}"#] {
                #expect(try await server.sendJSON("POST", "\(path)/maps", body).status == 400, "\(body)")
            }
            #expect(try await server.send("GET", "\(path)/maps/latest?cursor=x").status == 400)
        }
    }

    @Test("starting one takes a key that may enrol, reading one that may read")
    func access() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let admin = try await server.key("admin")
            let (enrol, read) = (try await server.key("enrol", by: admin), try await server.key("read", by: admin))
            for analysis in ["evaluations", "maps"] {
                let refused = try await server.send("POST", "\(path)/\(analysis)", key: read, json: "{}")
                #expect(refused.status == 403 && refused.problem == "role-too-low")
                #expect(try await server.send("POST", "\(path)/\(analysis)", key: enrol, json: "{}").status == 202)
                #expect(try await server.send("GET", "\(path)/\(analysis)/latest", key: read).status == 404)
            }
        }
    }
}
