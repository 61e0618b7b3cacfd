import Documents
import Foundation
import ServingFixtures
import Testing

@Suite("Archives")
struct ArchiveTests {
    private func file(_ name: String, _ bytes: Data) -> Data {
        Data(TarWriter.header(name, size: bytes.count)) + bytes + TarWriter.padding(bytes.count)
    }

    private func imported(_ archive: Data, into gallery: String, _ server: TestServer) async throws -> JSONValue {
        let answer = try await server.send(
            "POST", "/v1/galleries/\(gallery)/imports", body: archive, type: "application/x-tar")
        #expect(answer.status == 202, "\(answer.json)")
        return try await server.ended(try #require(answer.json["id"]?.string))
    }

    @Test("what was exported as an archive, imported elsewhere, answers alike to the bit")
    func roundTrip() async throws {
        try await TestServer.run { server in
            for gallery in ["g", "h"] {
                _ = try await server.sendJSON("POST", "/v1/galleries", "{\"name\": \"\(gallery)\"}")
            }
            _ = try await server.sendJSON(
                "POST", "/v1/galleries/g/identities", #"{"id": "empty", "label": "None yet"}"#)
            for number in 0..<130 {
                let images = try ["rgb": picture(number % 50), "tir": picture(number % 50 + 70)]
                _ = try await server.sendForm("/v1/galleries/g/identities/car-\(number)/sightings", images)
            }
            let archive = try await server.send(
                "GET", "/v1/galleries/g/export", headers: ["Accept": "application/x-tar"])
            #expect(archive.status == 200 && archive.headers["content-type"] == "application/x-tar")
            let job = try await imported(archive.data, into: "h", server)
            #expect(job["result"]?["enrolled"]?.integer == 261 && job["result"]?["failed"]?.integer == 0, "\(job)")
            var answers: [[String]] = []
            for gallery in ["g", "h"] {
                let answer = try await server.sendForm(
                    "/v1/galleries/\(gallery)/queries", ["rgb": picture(20)],
                    options: #"{"limit": 130, "group_by": "sighting"}"#)
                answers.append((answer.json["matches"]?.array ?? []).map { "\($0["identity"]!) \($0["score"]!)" })
            }
            #expect(answers[0].count == 130 && answers[0] == answers[1])
            let cut = try await imported(archive.data.prefix(archive.data.count - 2048), into: "h", server)
            #expect(cut["result"]?["enrolled"]?.integer == 0 && cut["result"]?["failed"]?.integer ?? 0 > 0, "\(cut)")
        }
    }

    @Test("a line's files are found wherever they stand; what a line must not name is said, and stops nothing else")
    func ownArchive() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let lines = """
                {"identity": "a", "files": {"rgb": "pictures/1.jpg"}}
                {"identity": "b", "files": {"rgb": "pictures/2.jpg", "tir": "pictures/1.jpg"}}
                {"identity": "c", "files": {"rgb": "/etc/passwd"}}
                {"identity": "c", "files": {"rgb": "../../etc/passwd"}}
                {"identity": "c", "files": {"rgb": "pictures/3.jpg"}}
                {"identity": "c", "files": {"rgb": "pictures"}}
                {"identity": "c", "files": {"uv": "pictures/1.jpg"}}
                {"identity": "c", "files": {"rgb": 3}}
                {"identity": "c", "files": {"rgb": "pictures/broken.jpg"}}
                {"identity": "d", "files": {"rgb": "pictures/2.jpg"}}
                """
            var archive = try file("pictures/1.jpg", picture(1)) + file("first.ndjson", Data(lines.utf8))
            archive += try file("pictures/broken.jpg", Data("no picture".utf8)) + file("pictures/2.jpg", picture(2))
            archive += file("second.ndjson", Data(#"{"identity": "e", "files": {"rgb": "pictures/2.jpg"}}"#.utf8))
            let job = try await imported(archive + TarWriter.end, into: "g", server)
            let result = try #require(job["result"])
            #expect(result["enrolled"]?.integer == 4 && result["failed"]?.integer == 7, "\(result)")
            let errors = try #require(result["errors"]?.array)
            #expect(errors.compactMap { $0["line"]?.integer } == Array(3...9), "\(errors)")
            #expect(errors.allSatisfy { $0["file"]?.string == "first.ndjson" })
            // The same line with another picture under the same name is another sighting.
            let other = try file("pictures/1.jpg", picture(9)) + file("first.ndjson", Data(lines.prefix(53).utf8))
            let again = try await imported(other + TarWriter.end, into: "g", server)
            #expect(again["result"]?["enrolled"]?.integer == 1, "\(again)")
            let inline = try await server.send(
                "POST", "/v1/galleries/g/imports", body: Data(#"{"identity": "a", "files": {"rgb": "x"}}"#.utf8),
                type: "application/x-ndjson")
            let refused = try await server.ended(try #require(inline.json["id"]?.string))
            #expect(refused["result"]?["errors"]?[0]?["field"]?.string == "files", "\(refused)")
            let nonsense = try await imported(Data(repeating: 7, count: 5000), into: "g", server)
            #expect(nonsense["result"]?["failed"]?.integer == 1 && nonsense["state"]?.string == "succeeded")
        }
    }

    @Test("identities that nobody has named and that look alike are one group; those with a label are in none")
    func groups() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            // Equal pictures: cosines of one.
            for (number, identity) in ["a", "b", "c", "d", "e", "f", "named"].enumerated() {
                let images = try ["rgb": picture([0, 0, 0, 40, 40, 90, 0][number])]
                _ = try await server.sendForm("/v1/galleries/g/identities/\(identity)/sightings", images)
            }
            _ = try await server.sendJSON("PATCH", "/v1/galleries/g/identities/named", #"{"label": "Van"}"#)
            let answer = try await server.sendJSON("POST", "/v1/galleries/g/groupings", #"{"threshold": 0.999999}"#)
            #expect(answer.status == 202 && answer.json["kind"]?.string == "grouping")
            let job = try await server.ended(try #require(answer.json["id"]?.string))
            let groups = (job["result"]?["groups"]?.array ?? []).map { group in
                (group["identities"]?.array ?? []).compactMap(\.string)
            }
            #expect(groups == [["a", "b", "c"], ["d", "e"]], "\(job)")
            #expect(job["result"]?["count"]?.integer == 2)
            let none = try await server.sendJSON("POST", "/v1/galleries/x/groupings", #"{"threshold": 0.5}"#)
            let wrong = try await server.sendJSON("POST", "/v1/galleries/g/groupings", #"{"threshold": 2}"#)
            #expect(none.status == 404 && wrong.status == 400)
        }
    }
}
