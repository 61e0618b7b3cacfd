import Documents
import Foundation
import Inference
import Server
import Serving
import ServingFixtures
import Testing

@Suite("Activation")
struct ActivationTests {
    @Test(
        "another model embeds what is enrolled and answers; going back embeds nothing again; the old one can be dropped"
    )
    func swap() async throws {
        try await TestServer.run { server in
            try await server.enrol(6)
            let models = [try await server.publish(seed: 1), try await server.publish(seed: 2)]
            for (step, expected) in [(0, 6), (1, 6), (0, 0), (1, 0)] {
                let job = try await server.activate(models[step])
                #expect(job["state"]?.string == "succeeded" && job["result"]?["embedded"]?.integer == expected)
                #expect(try await server.active == models[step])
                let answer = try await server.sendForm(
                    "/v1/galleries/g/queries", ["rgb": picture(3), "nir": picture(103), "tir": picture(203)])
                #expect(answer.json["model"]?.string == models[step])
                #expect(answer.json["matches"]?[0]?["identity"]?.string == "car-3")
                #expect(abs(try #require(answer.json["matches"]?[0]?["score"]?.number) - 1) < 1e-5)
            }
            let metrics = String(decoding: try await server.send("GET", "/metrics").data, as: UTF8.self)
            for (model, value) in [(models[1], "1.0"), (models[0], "0.0")] {
                #expect(metrics.contains("triptych_model_info{model=\"\(model)\"} \(value)\n"))
            }
            let refused = try await server.send("DELETE", "/v1/models/\(models[1])")
            #expect(refused.status == 409 && refused.problem == "model-active")
            #expect(try await server.send("DELETE", "/v1/models/\(models[0])").status == 204)
            let gallery = try await server.send("GET", "/v1/galleries/g").json
            #expect(gallery["models"]?.array?.contains { $0["model"]?.string == models[0] } == false)
            #expect(try await server.send("POST", "/v1/models/\(models[0])/activation").status == 404)
        }
    }

    @Test(
        "jobs of models wait for each other; cancelled, one changes nothing, and its events tell how it went; then it can go"
    )
    func cancellation() async throws {
        try await TestServer.run({ $0.swap.share = 0.01 }) { server in
            try await server.enrol(40)
            let before = try await server.active
            let model = try await server.publish(seed: 1)
            let begun = try await server.send("POST", "/v1/models/\(model)/activation")
            let job = try #require(begun.json["id"]?.string)
            let second = try await server.send("POST", "/v1/models/\(model)/activation?dry_run=true")
            #expect(second.status == 202 && second.json["state"]?.string == "waiting")
            let waiting = try #require(second.json["id"]?.string)
            #expect(try await server.send("DELETE", "/v1/jobs/\(waiting)").status == 202)
            #expect(try await server.ended(waiting)["state"]?.string == "cancelled")
            let busy = try await server.send("DELETE", "/v1/models/\(model)")
            #expect(busy.status == 409 && busy.problem == "job-running")
            async let events = server.send("GET", "/v1/jobs/\(job)/events")
            try await Task.sleep(for: .milliseconds(500))
            #expect(try await server.send("DELETE", "/v1/jobs/\(job)").status == 202)
            #expect(try await server.ended(job)["state"]?.string == "cancelled")
            let text = String(decoding: try await events.data, as: UTF8.self)
            #expect(text.hasPrefix("event: ") && text.contains("event: end\ndata: {") && text.hasSuffix("}\n\n"))
            let again = try await server.send("DELETE", "/v1/jobs/\(job)")
            #expect(again.status == 204)
            #expect(try await server.send("GET", "/v1/jobs/\(job)").status == 404)
            #expect(try await server.active == before)
        }
    }

    /// What a pruned model says of itself: close to its parent by the cosine, whatever its queries find.
    private func pruning(_ parent: String, agreement: Double, loss: Double) -> JSONValue {
        let estimate = { (value: Double) -> JSONValue in
            .object(["value": .number(value), "low": .number(value - 0.01), "high": .number(value + 0.01)])
        }
        let cross: JSONValue = .object([
            "queries": .integer(360), "identities": .integer(90), "agreement": estimate(agreement),
            "mAP_loss": estimate(loss),
        ])
        return .object([
            "embedding_space": .object(["parent": .string(parent), "mean_cosine": .number(0.99), "cross": cross])
        ])
    }

    @Test("without kept images a model is refused, unless its queries are known to find what the active one's do")
    func withoutImages() async throws {
        try await TestServer.run({ $0.keepsImages = false }) { server in
            let parent = try await server.publish(seed: 1)
            _ = try await server.activate(parent)
            try await server.enrol(3)
            let stranger = try await server.publish(seed: 2)
            let refused = try await server.send("POST", "/v1/models/\(stranger)/activation")
            #expect(refused.status == 409 && refused.problem == "images-missing")
            let silent: JSONValue = .object(["parent": .string(parent), "mean_cosine": .number(0.99)])
            let earlier = try await server.publish(seed: 1, pruning: .object(["embedding_space": silent]))
            let unmeasured = try await server.send("POST", "/v1/models/\(earlier)/activation")
            #expect(unmeasured.status == 409)
            #expect(unmeasured.json["detail"]?.string?.contains("earlier release") == true, "\(unmeasured.json)")
            // A ResNet-18 with channels pruned was like the first: a cosine of 0.990, and 54 % the same first match.
            for (agreement, loss, word) in [
                (0.54, 0.083, "first match"), (0.97, 0.03, "mAP falls by"), (0.905, 0, "first match"),
                (0.97, 0.005, nil),
            ] as [(Double, Double, String?)] {
                let child = try await server.publish(
                    seed: 1, pruning: pruning(parent, agreement: agreement, loss: loss))
                let answer = try await server.send("POST", "/v1/models/\(child)/activation")
                #expect(answer.status == (word == nil ? 202 : 409), "\(answer.json)")
                if let word {
                    #expect(answer.json["detail"]?.string?.contains(word) == true, "\(answer.json)")
                    continue
                }
                let job = try await server.ended(try #require(answer.json["id"]?.string))
                #expect(job["state"]?.string == "succeeded", "\(job)")
                let query = try await server.sendForm("/v1/galleries/g/queries", ["nir": picture(101)])
                #expect(query.json["model"]?.string == child)
                #expect(query.json["matches"]?[0]?["identity"]?.string == "car-1")
            }
        }
    }

    @Test("a dry run compares and changes nothing")
    func dryRun() async throws {
        try await TestServer.run { server in
            try await server.enrol(12)
            let first = try await server.publish(seed: 1)
            _ = try await server.activate(first)
            let same = try await server.publish(seed: 1, pruning: .object(["note": .string("the same weights")]))
            let begun = try await server.send("POST", "/v1/models/\(same)/activation?dry_run")
            let job = try await server.ended(try #require(begun.json["id"]?.string))
            #expect(job["kind"]?.string == "comparison" && job["result"]?["sightings"]?.integer == 12)
            #expect(job["result"]?["agreement"]?["top_1"]?.number == 1)
            #expect(job["result"]?["agreement"]?["top_10"]?.number == 1)
            #expect(try await server.active == first)
            #expect(try await server.send("GET", "/v1/models/\(same)").json["sightings"]?.integer == 0)
        }
    }
}
