import Documents
import Foundation
import ServingFixtures
import Testing

@Suite("Online re-identification over HTTP")
struct IdentificationTests {
    private let path = "/v1/galleries/g/sightings"

    private func ready(_ server: TestServer, _ threshold: Double = 0.9999) async throws {
        _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
        let sets = [["rgb"], ["rgb", "tir"], ["tir"]].map {
            "{\"modalities\": \(json($0)), \"threshold\": \(threshold)}"
        }
        let set = try await server.sendJSON(
            "PUT", "/v1/galleries/g/thresholds", "{\"thresholds\": [\(sets.joined(separator: ", "))]}")
        #expect(set.status == 200 && set.json["items"]?.array?.count == 3, "\(set.json)")
    }

    private func json(_ names: [String]) -> String { "[\(names.map { "\"\($0)\"" }.joined(separator: ", "))]" }

    @Test("a newcomer gets a name, comes again, and is found; without storing, the answer says what it would be")
    func story() async throws {
        try await TestServer.run { server in
            try await ready(server)
            let dry = try await server.sendForm(path, ["rgb": picture(3)], options: #"{"dry_run": true}"#)
            #expect(dry.status == 200 && dry.json["matched"]?.bool == false && dry.json["new"]?.bool == false)
            #expect(dry.json["identity"]?.string == nil && dry.json["sightings"]?.array?.isEmpty == true)
            let first = try await server.sendForm(
                path, ["rgb": picture(3)], options: #"{"camera": "north", "metadata": {"lane": 1}}"#)
            let name = try #require(first.json["identity"]?.string)
            #expect(first.status == 201 && first.json["new"]?.bool == true && name.hasPrefix("unknown-"))
            let again = try await server.sendForm(path, ["rgb": picture(3), "tir": picture(90)])
            #expect(
                again.status == 201 && again.json["matched"]?.bool == true && again.json["identity"]?.string == name)
            let contender = try #require(again.json["contenders"]?[0])
            #expect(contender["identity"]?.string == name && contender["camera"]?.string == "north")
            #expect(contender["modalities"] == .array([.string("rgb")]))
            let other = try await server.sendForm(path, ["rgb": picture(120)])
            #expect(other.json["new"]?.bool == true && other.json["contenders"]?.array?.count == 1)
            let north = try await server.send("GET", path + "?camera=north").json["items"]
            #expect(north?.array?.count == 1 && north?[0]?["identity"]?.string == name)
            #expect(try await server.send("GET", path + "?limit=2").json["next"]?.string != nil)
            #expect(try await server.send("GET", path + "?captured_after=yesterday").status == 400)
            let gallery = try await server.send("GET", "/v1/galleries/g").json
            #expect(gallery["identities"]?.integer == 2 && gallery["sightings"]?.integer == 3)
        }
    }

    @Test("several triples of a passage, as a form or JSON, are one decision, and a key makes a repetition harmless")
    func passages() async throws {
        try await TestServer.run { server in
            try await ready(server)
            let first = try await server.sendForm(
                path, ["0.rgb": picture(3), "1.rgb": picture(4), "1.tir": picture(90)],
                headers: ["Idempotency-Key": "one"])
            #expect(first.status == 201 && first.json["sightings"]?.array?.count == 2, "\(first.json)")
            let again = try await server.sendForm(
                path, ["0.rgb": picture(3), "1.rgb": picture(4), "1.tir": picture(90)],
                headers: ["Idempotency-Key": "one"])
            #expect(again.json["replayed"]?.bool == true && again.json["sightings"] == first.json["sightings"])
            let image = try picture(3).base64EncodedString()
            let triples =
                "{\"triples\": [{\"images\": {\"rgb\": \"\(image)\"}}, {\"images\": {\"rgb\": \"\(image)\"}}]}"
            let json = try await server.sendJSON("POST", path, triples)
            #expect(json.status == 201 && json.json["matched"]?.bool == true, "\(json.json)")
            let lone = try await server.sendJSON(
                "POST", path, "{\"images\": {\"rgb\": \"\(image)\"}, \"dry_run\": true}")
            #expect(lone.status == 200 && lone.json["identity"] == json.json["identity"])
        }
    }

    @Test(
        "a crop that shows too little makes no identity, and is recognised all the same; the answer says what it shows")
    func quality() async throws {
        try await TestServer.run({ $0.quality.contrast = 200 }) { server in
            try await ready(server)
            let poor = try await server.sendForm(path, ["rgb": picture(3)])
            #expect(poor.status == 200 && poor.json["sufficient"]?.bool == false && poor.json["new"]?.bool == false)
            #expect(poor.json["quality"]?[0]?["rgb"]?["side"]?.integer ?? 0 > 0, "\(poor.json)")
            #expect(try await server.send("GET", "/v1/galleries/g").json["sightings"]?.integer == 0)
            _ = try await server.sendForm("/v1/galleries/g/identities/known/sightings", ["rgb": picture(3)])
            let known = try await server.sendForm(path, ["rgb": picture(3)])
            #expect(known.status == 201 && known.json["identity"]?.string == "known")
        }
    }

    @Test(
        "a calibration proposes thresholds by what is enrolled, and sets them if asked to; over too few it fails and says so"
    )
    func calibration() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for number in 0..<12 {
                for shift in [0, 1] {
                    _ = try await server.sendForm(
                        "/v1/galleries/g/identities/car-\(number)/sightings", ["rgb": picture(number * 20 + shift)])
                }
            }
            let few = try await server.sendJSON("POST", "/v1/galleries/g/calibrations", #"{"false_match_rate": 0.01}"#)
            #expect(few.status == 202 && few.json["kind"]?.string == "calibration")
            let failed = try await server.ended(try #require(few.json["id"]?.string))
            #expect(failed["state"]?.string == "failed" && failed["reason"]?.string?.contains("at least 100") == true)
            let asked = try await server.sendJSON(
                "POST", "/v1/galleries/g/calibrations", #"{"false_match_rate": 0.25, "apply": true}"#)
            let job = try await server.ended(try #require(asked.json["id"]?.string))
            let proposal = try #require(job["result"]?["thresholds"]?[0])
            #expect(proposal["modalities"] == .array([.string("rgb")]) && proposal["samples"]?.integer == 24, "\(job)")
            #expect(proposal["false_match_rate"]?.number ?? 1 <= 0.25)
            let kept = try await server.send("GET", "/v1/galleries/g/thresholds").json["items"]?[0]
            let (set, proposed) = (kept?["threshold"]?.number ?? -2, proposal["threshold"]?.number ?? 2)
            #expect(abs(set - proposed) < 1e-6)
            for body in [
                #"{}"#, #"{"false_match_rate": 0}"#, #"{"false_match_rate": 0.9}"#, #"{"false_match_rate": 5e-324}"#,
                #"{"false_match_rate": 0.1, "x": 1}"#,
            ] {
                #expect(
                    try await server.sendJSON("POST", "/v1/galleries/g/calibrations", body).status == 400, "\(body)")
            }
            let none = try await server.sendJSON("POST", "/v1/galleries/x/calibrations", #"{"false_match_rate": 0.1}"#)
            #expect(none.status == 404)
        }
    }

    @Test("what cannot be decided or makes no sense is a problem, and nothing is enrolled")
    func refused() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let none = try await server.sendForm(path, ["rgb": picture(3)])
            #expect(none.status == 409 && none.json["type"]?.string?.hasSuffix("no-threshold") == true, "\(none.json)")
            let given = try await server.sendForm(
                path, ["rgb": picture(3)], options: #"{"threshold": 0.9, "dry_run": true}"#)
            #expect(given.status == 200)
            for (status, options) in [
                (400, #"{"threshold": 2}"#), (400, #"{"margin": -1}"#), (400, #"{"label": "x"}"#),
                (400, #"{"limit": 0}"#),
            ] {
                #expect(
                    try await server.sendForm(path, ["rgb": picture(3)], options: options).status == status,
                    "\(options)")
            }
            #expect(try await server.sendForm(path, ["17.rgb": picture(3)]).status == 400)
            #expect(try await server.sendForm(path, ["1.rgb": picture(3)]).status == 400)
            #expect(try await server.sendForm(path, [:], options: #"{"threshold": 0.9}"#).status == 400)
            #expect(try await server.sendForm("/v1/galleries/x/sightings", ["rgb": picture(3)]).status == 404)
            for body in [
                #"{"thresholds": [{"modalities": [], "threshold": 0.5}]}"#,
                #"{"thresholds": [{"modalities": ["rgb"], "threshold": 5}]}"#,
                #"{"thresholds": [{"modalities": ["rgb", "rgb"], "threshold": 0.5}]}"#,
                #"{"thresholds": [{"modalities": ["rbg"], "threshold": 0.5}]}"#,
                #"{"thresholds": [{"modalities": ["text"], "threshold": 0.5}]}"#,
                #"{"thresholds": [{"modalities": ["rgb"], "threshold": 0.5}, {"modalities": ["rgb"], "threshold": 0.4}]}"#,
                #"{"thresholds": [{"modalities": ["rgb"]}]}"#, #"{"thresholds": 3}"#, "{}",
            ] {
                #expect(try await server.sendJSON("PUT", "/v1/galleries/g/thresholds", body).status == 400, "\(body)")
            }
            #expect(try await server.send("GET", "/v1/galleries/g").json["sightings"]?.integer == 0)
        }
    }
}
