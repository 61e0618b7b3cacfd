import Documents
import Foundation
import Inference
import ServingFixtures
import Testing

@Suite("Endpoints")
struct EndpointTests {
    @Test("health, readiness, metrics and the contract are answered")
    func health() async throws {
        try await TestServer.run { server in
            #expect(try await server.send("GET", "/healthz").json["status"]?.string == "ok")
            let ready = try await server.send("GET", "/readyz")
            #expect(ready.json["dimension"]?.integer == 16)
            #expect(ready.headers["x-request-id"]?.isEmpty == false)
            let contract = String(decoding: try await server.send("GET", "/openapi.yaml").data, as: UTF8.self)
            #expect(contract.hasPrefix("openapi: 3.1"))
            let metrics = String(decoding: try await server.send("GET", "/metrics").data, as: UTF8.self)
            #expect(metrics.contains("triptych_requests_total{method=\"GET\",route=\"/readyz\",status=\"200\"} 1.0"))
            let head = try await server.send("HEAD", "/healthz")
            #expect(head.status == 200 && head.data.isEmpty)
        }
    }

    @Test("what is enrolled is found again, by form and by JSON, by identity and by sighting")
    func enrolAndQuery() async throws {
        try await TestServer.run { server in
            #expect(try await server.sendJSON("POST", "/v1/galleries", #"{"name": "lot"}"#).status == 201)
            for car in 0..<5 {
                for camera in 1...2 {
                    let answer = try await server.sendForm(
                        "/v1/galleries/lot/identities/car-\(car)/sightings",
                        ["rgb": picture(car), "tir": picture(car + 50)],
                        options: #"{"camera": "\#(camera)", "captured_at": "2026-01-0\#(camera)T00:00:00Z"}"#)
                    #expect(answer.status == 201)
                    #expect(answer.json["modalities"]?.array?.count == 2)
                    let location = try #require(answer.headers["location"])
                    #expect(try await server.send("GET", location).json["identity"]?.string == "car-\(car)")
                }
            }
            let byForm = try await server.sendForm(
                "/v1/galleries/lot/queries", ["rgb": picture(3), "tir": picture(53)])
            #expect(byForm.json["matches"]?.array?.count == 5)
            #expect(byForm.json["matches"]?[0]?["identity"]?.string == "car-3")
            #expect(byForm.json["unknown"]?.bool == false)
            #expect(byForm.json["modalities"]?.array?.compactMap(\.string) == ["rgb", "tir"])
            #expect(byForm.json["timing"]?["search_ms"]?.number != nil)
            let base64 = try picture(3).base64EncodedString()
            let byJSON = try await server.sendJSON(
                "POST", "/v1/galleries/lot/queries",
                #"{"images": {"rgb": "\#(base64)"}, "group_by": "sighting", "limit": 3, "filter": {"cameras": ["2"]}}"#)
            #expect(byJSON.json["matches"]?.array?.count == 3)
            #expect(byJSON.json["matches"]?.array?.allSatisfy { $0["camera"]?.string == "2" } == true)
            let stranger = try await server.sendForm(
                "/v1/galleries/lot/queries", ["rgb": picture(999)], options: #"{"threshold": 0.999}"#)
            #expect(stranger.json["unknown"]?.bool == true && stranger.json["matches"]?.array?.isEmpty == true)
        }
    }

    @Test("a gallery's settings are patched, and what a filter admits is erased")
    func settings() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON(
                "POST", "/v1/galleries", #"{"name": "g", "retention_days": 9, "label": "Lot"}"#)
            let patched = try await server.sendJSON(
                "PATCH", "/v1/galleries/g", #"{"retention_days": null, "metadata": {"a": 1}}"#)
            #expect(patched.status == 200 && patched.json["retention_days"] == nil)
            #expect(patched.json["label"]?.string == "Lot" && patched.json["metadata"]?["a"]?.integer == 1)
            let bad = try await server.sendJSON("PATCH", "/v1/galleries/g", #"{"retention_days": 0}"#)
            #expect(bad.status == 400 && bad.json["field"]?.string == "retention_days")
            for camera in ["n", "s"] {
                _ = try await server.sendForm(
                    "/v1/galleries/g/identities/a/sightings", ["rgb": picture(1)],
                    options: "{\"camera\": \"\(camera)\"}")
            }
            let path = "/v1/galleries/g/erasures"
            #expect(try await server.sendJSON("POST", path, #"{"filter": {}}"#).status == 400)
            #expect(try await server.sendJSON("POST", path, "{}").status == 400)
            let erased = try await server.sendJSON("POST", path, #"{"filter": {"cameras": ["n"]}}"#)
            #expect(erased.json["erased"]?.integer == 1)
            #expect(try await server.send("GET", "/v1/galleries/g").json["sightings"]?.integer == 1)
        }
    }

    @Test("a query that lacks modalities is compared with what the others alone look like")
    func subsets() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for car in 0..<6 {
                let triple = try ["rgb": picture(car), "nir": picture(car + 10), "tir": picture(car + 20)]
                _ = try await server.sendForm("/v1/galleries/g/identities/car-\(car)/sightings", triple)
            }
            for subset in [["rgb"], ["nir", "tir"], ["rgb", "tir"]] {
                let offsets = ["rgb": 0, "nir": 10, "tir": 20]
                let files = try Dictionary(
                    uniqueKeysWithValues: subset.map { ($0, try picture(4 + (offsets[$0] ?? 0))) })
                let answer = try await server.sendForm("/v1/galleries/g/queries", files)
                #expect(answer.json["matches"]?[0]?["identity"]?.string == "car-4", "\(subset)")
                #expect(abs(try #require(answer.json["matches"]?[0]?["score"]?.number) - 1) < 1e-5, "\(subset)")
            }
            let comparison = try await server.sendForm(
                "/v1/comparisons", ["a.rgb": picture(1), "a.tir": picture(7), "b.rgb": picture(1)])
            #expect(abs(try #require(comparison.json["score"]?.number) - 1) < 1e-5)
            #expect(comparison.json["modalities"]?[0]?.array?.compactMap(\.string) == ["rgb"])
        }
    }

    @Test("a text finds what it describes, if the model knows its words")
    func text() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for car in 0..<4 {
                _ = try await server.sendForm("/v1/galleries/g/identities/car-\(car)/sightings", ["rgb": picture(car)])
            }
            let path = "/v1/galleries/g/queries"
            let found = try await server.sendJSON("POST", path, #"{"text": "picture 2"}"#)
            #expect(found.json["matches"]?[0]?["identity"]?.string == "car-2")
            #expect(found.json["modalities"]?.array?.compactMap(\.string) == ["text"])
            let refused = try await server.sendJSON("POST", path, #"{"text": "blue"}"#)
            #expect(refused.status == 422 && refused.problem == "text-refused")
            let both = try await server.sendJSON("POST", path, #"{"text": "picture 2", "vector": [1]}"#)
            #expect(both.status == 400 && both.problem == "invalid-field")
        }
    }

    @Test("a sighting's camera, time and metadata are patched")
    func patchedSighting() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let made = try await server.sendForm(
                "/v1/galleries/g/identities/a/sightings", ["rgb": picture(3)], options: #"{"camera": "north"}"#)
            let path = "/v1/galleries/g/identities/a/sightings/\(try #require(made.json["id"]?.string))"
            let changed = try await server.sendJSON(
                "PATCH", path, #"{"camera": null, "captured_at": "2026-01-31T12:00:00Z", "metadata": {"lane": 2}}"#)
            #expect(changed.status == 200 && changed.json["camera"]?.string == nil)
            #expect(changed.json["captured_at"]?.string == "2026-01-31T12:00:00.000Z")
            #expect(changed.json["metadata"]?["lane"]?.integer == 2)
            for body in [#"{"camera": ""}"#, #"{"captured_at": "soon"}"#, #"{"identity": "b"}"#] {
                #expect(try await server.sendJSON("PATCH", path, body).status == 400, "\(body)")
            }
            let elsewhere = path.replacingOccurrences(of: "identities/a", with: "identities/b")
            #expect(try await server.sendJSON("PATCH", elsewhere, #"{"camera": "x"}"#).status == 404)
        }
    }

    @Test("an enrolled sighting finds others like it, and not itself")
    func bySighting() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            var ids: [String] = []
            for number in [3, 4, 90] {
                let made = try await server.sendForm(
                    "/v1/galleries/g/identities/car-\(number)/sightings", ["rgb": picture(number)])
                ids.append(try #require(made.json["id"]?.string))
            }
            let asked = #"{"sighting": "\#(ids[0])", "group_by": "sighting"}"#
            let found = try await server.sendJSON("POST", "/v1/galleries/g/queries", asked)
            #expect(Set((found.json["matches"]?.array ?? []).compactMap { $0["sighting"]?.string }) == Set(ids[1...]))
            #expect(found.json["modalities"] == .array([.string("rgb")]))
            let gone = try await server.sendJSON(
                "POST", "/v1/galleries/g/queries", #"{"sighting": "00000000-0000-0000-0000-000000000000"}"#)
            #expect(gone.status == 404 && gone.json["type"]?.string?.hasSuffix("sighting-not-found") == true)
            let both = try await server.sendForm(
                "/v1/galleries/g/queries", ["rgb": picture(3)], options: #"{"sighting": "\#(ids[0])"}"#)
            #expect(both.status == 400)
        }
    }

    @Test("an embedding can be sent back as a query")
    func vectors() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            _ = try await server.sendForm("/v1/galleries/g/identities/a/sightings", ["nir": picture(1)])
            let embedding = try await server.sendForm("/v1/embeddings", ["nir": picture(1)]).json
            let vector = try String(
                decoding: JSONEncoder().encode(#require(embedding["embedding"])), as: UTF8.self)
            let answer = try await server.sendJSON(
                "POST", "/v1/galleries/g/queries", #"{"vector": \#(vector), "modalities": ["nir"]}"#)
            let score = try #require(answer.json["matches"]?[0]?["score"]?.number)
            #expect(abs(score - 1) < 1e-5)
            let other = try await server.sendJSON(
                "POST", "/v1/galleries/g/queries", #"{"vector": \#(vector), "model": "another"}"#)
            #expect(other.status == 409)
            let comparison = try await server.sendForm(
                "/v1/comparisons", ["a.rgb": picture(1), "b.tir": picture(1)])
            #expect(abs(try #require(comparison.json["score"]?.number) - 1) < 1e-5)
        }
    }

    @Test("vectors by modality can be sent back, to find and to enrol, and are compared by what both sides have")
    func vectorsByModality() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let triple = try ["rgb": picture(1), "nir": picture(2), "tir": picture(3)]
            _ = try await server.sendForm("/v1/galleries/g/identities/a/sightings", triple)
            let embedding = try await server.sendForm("/v1/embeddings", triple).json
            let vectors = try #require(embedding["vectors"]?.object)
            let text = { (value: JSONValue) in String(decoding: try JSONEncoder().encode(value), as: UTF8.self) }
            for names in [["rgb"], ["nir", "tir"], ["rgb", "nir", "tir"]] {
                let some = try text(.object(vectors.filter { names.contains($0.key) }))
                let body = #"{"vectors": \#(some)}"#
                let answer = try await server.sendJSON("POST", "/v1/galleries/g/queries", body)
                #expect(abs(try #require(answer.json["matches"]?[0]?["score"]?.number) - 1) < 1e-5, "\(names)")
                #expect(answer.json["modalities"]?.array?.count == names.count)
            }
            let whole = try text(#require(embedding["embedding"]))
            for (names, found) in [(#"["rgb", "nir"]"#, 0), (#"["rgb", "nir", "tir"]"#, 1)] {
                let body = #"{"vector": \#(whole), "modalities": \#(names)}"#
                let answer = try await server.sendJSON("POST", "/v1/galleries/g/queries", body)
                #expect(answer.json["matches"]?.array?.count == found)
                #expect(answer.json["incomparable"]?.integer == 1 - found)
            }
            let path = "/v1/galleries/g/identities/b/sightings"
            let enrolled = try await server.sendJSON(
                "POST", path, #"{"vectors": \#(text(.object(vectors))), "camera": "north"}"#)
            #expect(enrolled.status == 201 && enrolled.json["modalities"]?.array?.isEmpty == true)
            let answer = try await server.sendForm(
                "/v1/galleries/g/queries", ["tir": picture(3)], options: #"{"filter": {"cameras": ["north"]}}"#)
            #expect(answer.json["matches"]?[0]?["identity"]?.string == "b")
        }
    }

    @Test("a repeated enrolment with its key is stored once; the key with another triple is refused")
    func idempotency() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let path = "/v1/galleries/g/identities/a/sightings"
            let key = ["Idempotency-Key": "k1"]
            let first = try await server.sendForm(path, ["rgb": picture(1)], headers: key)
            let second = try await server.sendForm(path, ["rgb": picture(1)], headers: key)
            #expect(first.json["id"] == second.json["id"])
            let third = try await server.sendForm(path, ["rgb": picture(2)], headers: key)
            #expect(third.status == 409 && third.problem == "idempotency-conflict")
            #expect(try await server.send("GET", "/v1/galleries/g").json["sightings"]?.integer == 1)
        }
    }

    @Test("identities are listed in pages, relabelled, and erased with everything of theirs")
    func identities() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for id in ["a", "b", "v 1/ä"] {
                let body = String(decoding: try JSONEncoder().encode(["id": id]), as: UTF8.self)
                let created = try await server.sendJSON("POST", "/v1/galleries/g/identities", body)
                #expect(created.status == 201)
                let location = try #require(created.headers["location"])
                #expect(try await server.send("GET", location).json["id"]?.string == id)
            }
            let page = try await server.send("GET", "/v1/galleries/g/identities?limit=2")
            #expect(page.json["items"]?.array?.count == 2)
            let cursor = try #require(page.json["next"]?.string)
            let rest = try await server.send("GET", "/v1/galleries/g/identities?limit=2&cursor=\(cursor)")
            #expect(rest.json["items"]?.array?.count == 1)
            #expect(rest.json["next"] == .null)
            let patched = try await server.sendJSON(
                "PATCH", "/v1/galleries/g/identities/a", #"{"label": "Anna's", "metadata": {"seats": 5}}"#)
            #expect(patched.json["label"]?.string == "Anna's")
            let sighting = try await server.sendForm(
                "/v1/galleries/g/identities/a/sightings", ["rgb": picture(1)])
            let image = try #require(sighting.headers["location"]) + "/images/rgb"
            let kept = try await server.send("GET", image)
            #expect(try kept.data == picture(1))
            #expect(kept.headers["content-type"] == "image/jpeg")
            #expect(try await server.send("DELETE", "/v1/galleries/g/identities/a").status == 204)
            #expect(try await server.send("GET", image).status == 404)
            #expect(try await server.send("DELETE", "/v1/galleries/g").status == 204)
            #expect(try await server.send("GET", "/v1/galleries/g").problem == "gallery-not-found")
        }
    }
}
