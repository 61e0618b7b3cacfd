import Documents
import Foundation
import ServingFixtures
import Testing

extension TestServer {
    /// Uploads a checkpoint.
    func upload(_ data: Data) async throws -> Answer {
        try await send("POST", "/v1/models", body: data, type: "application/octet-stream")
    }

    /// Uploads a tiny model and gives its name.
    func publish(seed: UInt64, pruning: JSONValue? = nil) async throws -> String {
        let file = try await TinyModel.file(seed: seed, pruning: pruning)
        #expect(try await upload(file.data).status == 201)
        return file.model
    }

    /// Starts an activation and waits for its end.
    func activate(_ model: String) async throws -> JSONValue {
        let begun = try await send("POST", "/v1/models/\(model)/activation")
        #expect(begun.status == 202)
        return try await ended(try #require(begun.json["id"]?.string))
    }

    /// A job's record once it has ended.
    func ended(_ job: String) async throws -> JSONValue {
        while true {
            let json = try await send("GET", "/v1/jobs/\(job)").json
            if !["running", "waiting"].contains(json["state"]?.string) { return json }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The model that answers.
    var active: String? {
        get async throws { try await send("GET", "/readyz").json["model"]?.string }
    }

    /// Makes the gallery g with some triples.
    func enrol(_ count: Int) async throws {
        _ = try await sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
        for car in 0..<count {
            let triple = try ["rgb": picture(car), "nir": picture(car + 100), "tir": picture(car + 200)]
            let answer = try await sendForm("/v1/galleries/g/identities/car-\(car)/sightings", triple)
            #expect(answer.status == 201)
        }
    }
}
