import Foundation
import Imaging
import ServingFixtures
import Testing

@Suite("Kept images over HTTP")
struct PictureTests {
    /// Enrols a frame of 64 by 64 with a box, and gives the path of its image.
    private func enrol(_ server: TestServer, _ frame: Data) async throws -> String {
        _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
        let answer = try await server.sendForm(
            "/v1/galleries/g/identities/a/sightings", ["rgb": frame], options: #"{"boxes": {"rgb": [16, 0, 32, 48]}}"#)
        return try #require(answer.headers["location"]) + "/images/rgb"
    }

    @Test("a picture is as wide as asked for, never wider than the image, upright, and of the box alone if asked for")
    func width() async throws {
        try await TestServer.run { server in
            let frame = try picture(3, size: 64)
            let path = try await enrol(server, frame)
            #expect(try await server.send("GET", path).data == frame)
            for (query, width, height) in [
                ("?width=16", 16, 16), ("?width=2048", 64, 64), ("?crop=true", 32, 48), ("?crop&width=16", 16, 24),
            ] {
                let answer = try await server.send("GET", path + query)
                #expect(answer.status == 200 && answer.headers["content-type"] == "image/jpeg", "\(query)")
                let image = try ImageDecoder().decode(answer.data)
                #expect(image.width == width && image.height == height, "\(query)")
            }
            let whole = try ImageDecoder().decode(frame)
            let seen = try ImageDecoder().decode(await server.send("GET", path + "?width=16").data)
            let expected = whole.resized(width: 16, height: 16, interpolation: .bilinear)
            let worst = zip(seen.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 255
            #expect(worst < 64, "\(worst)")
            for query in ["?width=15", "?width=2049", "?width=x", "?crop=2"] {
                #expect(try await server.send("GET", path + query).status == 400, "\(query)")
            }
        }
    }

    @Test("who has an image is told that it is the same, until it is erased; parts of it can be had")
    func conditions() async throws {
        try await TestServer.run { server in
            let frame = try picture(3, size: 64)
            let path = try await enrol(server, frame)
            let tag = try #require(try await server.send("GET", path).headers["etag"])
            for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                let answer = try await server.send("GET", path, headers: ["If-None-Match": known])
                #expect(answer.status == 304 && answer.data.isEmpty && answer.headers["etag"] == tag, "\(known)")
            }
            let wide = try await server.send("GET", path + "?width=16", headers: ["If-None-Match": tag])
            #expect(wide.status == 200 && wide.headers["etag"] != tag)
            for (range, bytes) in [
                ("bytes=0-9", frame.prefix(10)), ("bytes=10-", frame.dropFirst(10)), ("bytes=-7", frame.suffix(7)),
                ("bytes=5-99999", frame.dropFirst(5)),
            ] {
                let answer = try await server.send("GET", path, headers: ["Range": range])
                #expect(answer.status == 206 && answer.data == Data(bytes), "\(range)")
                #expect(answer.headers["content-range"]?.hasSuffix("/\(frame.count)") == true)
            }
            for range in ["bytes=99999-", "bytes=-0"] {
                let answer = try await server.send("GET", path, headers: ["Range": range])
                #expect(answer.status == 416 && answer.problem == "range-outside")
                #expect(answer.headers["content-range"] == "bytes */\(frame.count)")
            }
            // What is no range of ours is no condition.
            for range in ["bytes=0-1,3-4", "lines=1-2", "bytes=5-2", "bytes=a-b", "bytes=99999999999999999999-"] {
                #expect(try await server.send("GET", path, headers: ["Range": range]).status == 200, "\(range)")
            }
            let stale = try await server.send("GET", path, headers: ["Range": "bytes=0-9", "If-Range": "\"x\""])
            #expect(stale.status == 200 && stale.data == frame)
            #expect(try await server.send("DELETE", "/v1/galleries/g/identities/a").status == 204)
            #expect(try await server.send("GET", path, headers: ["If-None-Match": tag]).status == 404)
        }
    }

    @Test("matches tell what each modality alone scores, as queries by that modality do")
    func byModality() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for number in 0..<4 {
                let images = ["rgb": try picture(number), "nir": try picture(number + 10)]
                _ = try await server.sendForm("/v1/galleries/g/identities/id-\(number)/sightings", images)
            }
            let path = "/v1/galleries/g/queries"
            let images = ["rgb": try picture(1), "nir": try picture(12), "tir": try picture(5)]
            let plain = try await server.sendForm(path, images).json["matches"]?.array ?? []
            #expect(plain.count == 4 && plain.allSatisfy { $0["by_modality"] == nil })
            let matches =
                try await server.sendForm(path, images, options: #"{"by_modality": true}"#)
                .json["matches"]?.array ?? []
            for modality in ["rgb", "nir"] {
                let alone = try await server.sendForm(path, [modality: images[modality] ?? Data()])
                for match in alone.json["matches"]?.array ?? [] {
                    let told = matches.first { $0["identity"] == match["identity"] }?["by_modality"]
                    #expect(told?.object?.keys.sorted() == ["nir", "rgb"])
                    let difference = (told?[modality]?.number ?? 2) - (match["score"]?.number ?? -2)
                    #expect(abs(difference) < 1e-6)
                }
            }
            let many = try await server.sendForm(path, images, options: #"{"by_modality": true, "limit": 101}"#)
            #expect(many.status == 400)
        }
    }
}
