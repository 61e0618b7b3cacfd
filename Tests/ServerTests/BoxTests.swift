import Documents
import Foundation
import Imaging
import Server
import ServingFixtures
import Testing

@Suite("Frames with boxes over HTTP")
struct BoxTests {
    private func json(_ frame: Frame, _ more: String = "") throws -> String {
        let image = frame.file.base64EncodedString()
        return "{\"images\": {\"rgb\": \"\(image)\"}, \"boxes\": {\"rgb\": \(frame.box)}\(more)}"
    }

    @Test("a frame with a box has the vectors of the crop, as a form and as JSON, and the comparison finds them equal")
    func vectors() async throws {
        try await TestServer.run { server in
            let (frame, other) = (try Frame(1), try Frame(2))
            let crops = try await server.sendForm("/v1/embeddings", ["rgb": frame.crop, "tir": other.file])
            let boxed = try await server.sendForm(
                "/v1/embeddings", ["rgb": frame.file, "tir": other.file],
                options: "{\"boxes\": {\"rgb\": \(frame.box)}}")
            #expect(boxed.status == 200 && boxed.json["embedding"]?.array?.count == 16, "\(boxed.json)")
            #expect(
                boxed.json["vectors"] == crops.json["vectors"] && boxed.json["embedding"] == crops.json["embedding"])
            let form = try await server.sendForm("/v1/embeddings", ["rgb": frame.crop])
            #expect(try await server.sendJSON("POST", "/v1/embeddings", json(frame)).json == form.json)
            #expect(try await server.sendForm("/v1/embeddings", ["rgb": frame.file]).json != form.json)
            let pair = try await server.sendForm(
                "/v1/comparisons", ["a.rgb": frame.file, "b.rgb": frame.crop],
                options: "{\"boxes\": {\"a.rgb\": \(frame.box)}}")
            #expect(abs(try #require(pair.json["score"]?.number) - 1) < 1e-6)
            let whole = try await server.sendForm("/v1/comparisons", ["a.rgb": frame.file, "b.rgb": frame.crop])
            #expect(try #require(whole.json["score"]?.number) < 0.99)
            let byJSON = try await server.sendJSON(
                "POST", "/v1/comparisons", "{\"a\": \(json(frame)), \"b\": \(json(frame))}")
            #expect(abs(try #require(byJSON.json["score"]?.number) - 1) < 1e-6)
        }
    }

    @Test("a box counts in the pixels that a viewer shows, whichever way the file has them")
    func orientation() async throws {
        try await TestServer.run { server in
            let pixels = (0..<(64 * 48)).map { (at: Int) -> UInt8 in UInt8(at % 64 * 3 + at / 64) }
            let jpeg = try JPEGEncoder.encode(Image(width: 64, height: 48, channels: 1, pixels: pixels), quality: 90)
            // Turned by a quarter: orientation 6.
            let tiff: [UInt8] =
                [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]
            let block = Array("Exif\0\0".utf8) + tiff
            let file: Data = jpeg.prefix(2) + [0xFF, 0xE1, 0, UInt8(block.count + 2)] + block + jpeg.dropFirst(2)
            let upright = try ImageDecoder().decode(file)
            #expect(upright.size == Image.Size(width: 48, height: 64))
            let crop = upright.cropped(to: Image.Box(x: 2, y: 30, width: 20, height: 34))
            let boxed = try await server.sendForm(
                "/v1/embeddings", ["rgb": file], options: #"{"boxes": {"rgb": [2, 30, 20, 34]}}"#)
            let cropped = try await server.sendForm("/v1/embeddings", ["rgb": PNGEncoder.encode(crop)])
            #expect(boxed.status == 200 && boxed.json["embedding"] == cropped.json["embedding"])
            // Within the stored image, but not within the upright one.
            let outside = try await server.sendForm(
                "/v1/embeddings", ["rgb": file], options: #"{"boxes": {"rgb": [40, 0, 20, 34]}}"#)
            #expect(outside.status == 422 && outside.json["detail"]?.string?.contains("48 × 64") == true)
        }
    }

    @Test("what was enrolled from a frame is found by its crop, and a query's frame finds a crop, alone and in a batch")
    func queries() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for car in 0..<4 {
                let (path, frame) = ("/v1/galleries/g/identities/car-\(car)/sightings", try Frame(car))
                let answer =
                    car % 2 == 0
                    ? try await server.sendForm(
                        path, ["rgb": frame.file], options: "{\"boxes\": {\"rgb\": \(frame.box)}}")
                    : try await server.sendForm(path, ["rgb": frame.crop])
                #expect(answer.status == 201, "\(answer.json)")
                let boxes = try await server.send("GET", try #require(answer.headers["location"])).json["boxes"]
                let expected = car % 2 == 0 ? ["rgb": JSONValue.array(frame.box.map { .integer($0) })] : [:]
                #expect(boxes == .object(expected) && boxes == answer.json["boxes"])
            }
            let (path, frame) = ("/v1/galleries/g/queries", try Frame(3))
            let byCrop = try await server.sendForm(path, ["rgb": Frame(2).crop])
            let byFrame = try await server.sendForm(
                path, ["rgb": frame.file], options: "{\"boxes\": {\"rgb\": \(frame.box)}, \"limit\": 1}")
            for (answer, car) in [(byCrop, 2), (byFrame, 3)] {
                #expect(answer.json["matches"]?[0]?["identity"]?.string == "car-\(car)")
                #expect(abs(try #require(answer.json["matches"]?[0]?["score"]?.number) - 1) < 1e-6)
            }
            let form = try await server.sendForm(
                path + "/batch", ["0.rgb": Frame(0).crop, "1.rgb": frame.file],
                options: "{\"boxes\": {\"1.rgb\": \(frame.box)}}")
            let byJSON = try await server.sendJSON(
                "POST", path + "/batch", "{\"queries\": [\(json(Frame(0))), \(json(frame))]}")
            for answer in [form, byJSON] {
                for (place, car) in [0, 3].enumerated() {
                    let match = answer.json["results"]?[place]?["matches"]?[0]
                    #expect(match?["identity"]?.string == "car-\(car)", "\(answer.json)")
                    #expect(abs(try #require(match?["score"]?.number) - 1) < 1e-6)
                }
            }
            let bad = try await server.sendForm(
                path + "/batch", ["0.rgb": frame.crop, "1.rgb": frame.file],
                options: #"{"boxes": {"1.rgb": [60, 0, 9, 9]}}"#)
            #expect(bad.json["results"]?[0]?["matches"] != nil)
            #expect(bad.json["results"]?[1]?["problem"]?["modality"]?.string == "rgb", "\(bad.json)")
        }
    }

    @Test("a passage's frames have a box each, and only what is in them makes an identity")
    func passages() async throws {
        let configure: @Sendable (inout ServerConfiguration) -> Void = { $0.quality.contrast = 2 }
        try await TestServer.run(configure) { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let (path, frame) = ("/v1/galleries/g/sightings", try Frame(1))
            let options = "{\"boxes\": {\"1.rgb\": \(frame.box)}, \"threshold\": 0.9999}"
            let first = try await server.sendForm(
                path, ["0.rgb": frame.crop, "1.rgb": frame.file], options: options)
            #expect(first.status == 201 && first.json["new"]?.bool == true, "\(first.json)")
            #expect(first.json["quality"]?[1]?["rgb"]?["side"]?.integer == 16)
            #expect(first.json["sightings"]?.array?.map { $0["boxes"]?.object?.count } == [0, 1])
            for body in [
                try json(frame, #", "threshold": 0.9999"#),
                "{\"triples\": [\(try json(frame))], \"threshold\": 0.9999}",
            ] {
                let again = try await server.sendJSON("POST", path, body)
                #expect(again.json["identity"] == first.json["identity"] && again.json["matched"]?.bool == true)
            }
            // Grey with a white corner: the frame shows something, the box nothing.
            let pixels = (0..<(64 * 64)).map { (at: Int) -> UInt8 in at % 64 < 32 && at / 64 < 32 ? 255 : 128 }
            let corner = try PNGEncoder.encode(Image(width: 64, height: 64, channels: 1, pixels: pixels))
            for (box, isSufficient) in [([0, 0, 64, 64], true), ([32, 32, 32, 32], false)] {
                let answer = try await server.sendForm(
                    path, ["rgb": corner],
                    options: "{\"boxes\": {\"rgb\": \(box)}, \"threshold\": 1, \"dry_run\": true}")
                #expect(answer.json["sufficient"]?.bool == isSufficient, "\(answer.json)")
            }
        }
    }

    @Test("boxes come and go with imports and exports, as lines and as archives")
    func transfer() async throws {
        try await TestServer.run { server in
            for gallery in ["g", "h", "i"] {
                _ = try await server.sendJSON("POST", "/v1/galleries", "{\"name\": \"\(gallery)\"}")
            }
            let frame = try Frame(1)
            let image = frame.file.base64EncodedString()
            var lines = [[5, 9, 24, 16], [60, 0, 5, 5], [1, 2], [0, 47, 64, 2]].map { box in
                "{\"identity\": \"a\", \"images\": {\"rgb\": \"\(image)\"}, \"boxes\": {\"rgb\": \(box)}}"
            }
            // With the active model's vectors nothing is decoded.
            let (model, vector) = (try #require(try await server.active), [Int](repeating: 1, count: 16))
            lines[3].replace("{\"id", with: "{\"model\": \"\(model)\", \"vectors\": {\"rgb\": \(vector)}, \"id")
            let job = try await imported(Data(lines.joined(separator: "\n").utf8), "ndjson", "g", server)
            #expect(job["result"]?["enrolled"]?.integer == 1 && job["result"]?["failed"]?.integer == 3, "\(job)")
            let errors = try #require(job["result"]?["errors"]?.array)
            #expect(errors[0]["reason"]?.string?.contains("64 × 48") == true)
            #expect(errors[1]["field"]?.string == "boxes.rgb")
            #expect(errors[2]["reason"]?.string?.contains("found [0, 47, 64, 2]") == true)
            for (form, gallery) in [("ndjson", "h"), ("tar", "i")] {
                let exported = try await server.send(
                    "GET", "/v1/galleries/g/export", headers: ["Accept": "application/x-\(form)"])
                let job = try await imported(exported.data, form, gallery, server)
                #expect(job["result"]?["failed"]?.integer == 0, "\(job)")
                let sighting = try await server.send("GET", "/v1/galleries/\(gallery)/sightings").json["items"]?[0]
                #expect(sighting?["boxes"]?["rgb"] == .array(frame.box.map { .integer($0) }))
                let found = try await server.sendForm("/v1/galleries/\(gallery)/queries", ["rgb": frame.crop])
                #expect(abs(try #require(found.json["matches"]?[0]?["score"]?.number) - 1) < 1e-6)
            }
        }
    }

    private func imported(
        _ body: Data, _ form: String, _ gallery: String, _ server: TestServer
    ) async throws -> JSONValue {
        let answer = try await server.send(
            "POST", "/v1/galleries/\(gallery)/imports", body: body, type: "application/x-\(form)")
        #expect(answer.status == 202, "\(answer.json)")
        return try await server.ended(try #require(answer.json["id"]?.string))
    }

    @Test(
        "what is no box is 400 with its field, a box outside its image 422 with the modality and the image's size",
        arguments: [
            (#"{"rgb": [0, 0, 65, 4]}"#, 422, "rgb"), (#"{"tir": [0, 48, 1, 1]}"#, 422, "tir"),
            (#"{"rgb": [9223372036854775807, 0, 9223372036854775807, 1]}"#, 422, "rgb"),
            (#"{"rgb": [0, 0, 0, 4]}"#, 400, "rgb"), (#"{"rgb": [-1, 0, 4, 4]}"#, 400, "rgb"),
            (#"{"rgb": [0, 0, 4]}"#, 400, "rgb"), (#"{"rgb": [0.5, 0, 4, 4]}"#, 400, "rgb"),
            (#"{"rgb": ["0", 0, 4, 4]}"#, 400, "rgb"), (#"{"rgb": {"x": 0}}"#, 400, "rgb"),
            (#"{"nir": [0, 0, 4, 4]}"#, 400, "nir"), (#"{"0.rgb": [0, 0, 4, 4]}"#, 400, "0.rgb"),
            (#"[0, 0, 4, 4]"#, 400, ""),
        ])
    func refused(boxes: String, status: Int, name: String) async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let frame = try Frame(1)
            for path in ["/v1/embeddings", "/v1/galleries/g/queries", "/v1/galleries/g/identities/a/sightings"] {
                let answer = try await server.sendForm(
                    path, ["rgb": frame.file, "tir": frame.file], options: "{\"boxes\": \(boxes)}")
                #expect(answer.status == status, "\(boxes): \(answer.json)")
                if status == 422 {
                    #expect(answer.problem == "box-outside" && answer.json["modality"]?.string == name)
                    #expect(answer.json["detail"]?.string?.contains("64 × 48 pixels, found [") == true)
                } else {
                    let field = name.isEmpty ? "options.boxes" : "options.boxes.\(name)"
                    #expect(answer.problem == "invalid-field" && answer.json["field"]?.string == field)
                }
            }
            #expect(try await server.send("GET", "/v1/galleries/g").json["identities"]?.integer == 0)
            let lone = try await server.sendJSON(
                "POST", "/v1/comparisons", "{\"a\": {\"boxes\": {\"rgb\": \(frame.box)}}, \"b\": \(json(frame))}")
            #expect(lone.status == 400 && lone.json["field"]?.string == "a.boxes.rgb", "\(lone.json)")
        }
    }
}
