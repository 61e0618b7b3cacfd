import Foundation
import Gallery
import Server
import ServingFixtures
import Testing

extension TestServer {
    /// What `/metrics` says, by name and labels.
    func scrape(key: String? = nil) async throws -> [String: Double] {
        let text = String(decoding: try await send("GET", "/metrics", key: key).data, as: UTF8.self)
        let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            line.lastIndex(of: " ").flatMap { end in
                Double(line[line.index(after: end)...]).map { (String(line[..<end]), $0) }
            }
        }
        return Dictionary(samples) { first, _ in
            Issue.record("a series is told twice")
            return first
        }
    }
}

@Suite("Scraping")
struct ScrapeTests {
    @Test("every line is as the format has it, and every metric is explained")
    func format() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "lot"}"#)
            _ = try await server.send("GET", "/v1/galleries/none")
            let text = String(decoding: try await server.send("GET", "/metrics").data, as: UTF8.self)
            #expect(text.hasSuffix("\n"))
            var (explained, typed) = (Set<Substring>(), Set<Substring>())
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                if line.hasPrefix("# HELP ") {
                    #expect(explained.insert(words[2]).inserted)
                } else if line.hasPrefix("# TYPE ") {
                    #expect(typed.insert(words[2]).inserted)
                } else {
                    let name = line.prefix { $0 != "{" && $0 != " " }
                    let family = name.replacing(/_(bucket|sum|count)$/, with: "")
                    #expect(explained.contains(family[...]) && typed.contains(family[...]), "\(line)")
                    #expect(words.last.flatMap { Double($0) } != nil, "\(line)")
                }
            }
            #expect(explained.count > 20)
        }
    }

    @Test("requests are counted by their route's template, and what leads nowhere as what it is")
    func routes() async throws {
        try await TestServer.run { server in
            let connection = RawConnection(server.port)
            for target in ["GET /v1/galleries/somebody", "GET /nowhere/somebody", "PATCH /healthz"] {
                await connection.send("\(target) HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                _ = await connection.answers()
            }
            let refused = RawConnection(server.port)
            await refused.send("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n")
            #expect(await refused.answers().first?.status == 413)
            let scraped = try await server.scrape()
            for labels in [
                #"method="GET",route="/v1/galleries/{gallery}",status="404""#,
                #"method="GET",route="none",status="404""#,
                #"method="PATCH",route="none",status="405""#, #"method="POST",route="none",status="413""#,
            ] {
                #expect(scraped["triptych_requests_total{\(labels)}"] == 1, "\(labels)")
            }
            #expect(scraped[#"triptych_problems_total{type="gallery-not-found"}"#] == 1)
            #expect(scraped[#"triptych_problems_total{type="no-such-path"}"#] == 1)
            #expect(scraped[#"triptych_request_seconds_bucket{method="GET",route="none",le="120.0"}"#] == 1)
            #expect(!scraped.keys.contains { $0.contains("somebody") })
        }
    }

    @Test("stages, galleries, queues, jobs, files and the process are told of")
    func state() async throws {
        try await TestServer.run { server in
            #expect(try await server.sendJSON("POST", "/v1/galleries", #"{"name": "lot"}"#).status == 201)
            for car in 0..<3 {
                let answer = try await server.sendForm(
                    "/v1/galleries/lot/identities/car-\(car)/sightings", ["rgb": picture(car)],
                    options: #"{"camera": "gate"}"#)
                #expect(answer.status == 201)
            }
            let found = try await server.sendForm("/v1/galleries/lot/queries", ["rgb": picture(1)])
            let model = try #require(found.json["model"]?.string)
            let scraped = try await server.scrape()
            let expected: [String: Double] = [
                "triptych_decode_seconds_count": 4, "triptych_encode_seconds_count": 4,
                "triptych_search_seconds_count": 1, "triptych_commit_seconds_count": 3,
                #"triptych_encodings_total{model="\#(model)"}"#: 4, #"triptych_model_info{model="\#(model)"}"#: 1,
                #"triptych_queries_total{unknown="false"}"#: 1, "triptych_enrolments_total": 3,
                "triptych_sightings": 3, #"triptych_gallery_sightings{gallery="lot"}"#: 3,
                #"triptych_gallery_identities{gallery="lot"}"#: 3, "triptych_database_up": 1,
                #"triptych_queue_waiting{queue="encoder"}"#: 0, #"triptych_queue_waiting{queue="decoding"}"#: 0,
                #"triptych_jobs{class="gallery",state="running"}"#: 0,
                #"triptych_build_info{version="\#(TriptychServer.version)"}"#: 1, "triptych_erasure_failing": 0,
            ]
            for (name, value) in expected { #expect(scraped[name] == value, "\(name)") }
            for name in [
                "triptych_database_bytes", "triptych_database_log_bytes", "triptych_disk_free_bytes",
                "triptych_connections", "process_resident_memory_bytes", "process_virtual_memory_bytes",
                "process_open_fds", "process_max_fds", "process_cpu_seconds_total",
            ] {
                #expect(try #require(scraped[name], "\(name)") > 0, "\(name)")
            }
            let age = try Date().timeIntervalSince1970 - #require(scraped["process_start_time_seconds"])
            #expect(age > 0 && age < 86_400)
            #expect(!scraped.keys.contains { $0.contains("car-") || $0.contains("gate") })
        }
    }

    @Test("of many galleries the largest are told of")
    func galleries() async throws {
        try await TestServer.run { server in
            for index in 0..<102 {
                _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g\#(index)"}"#)
            }
            _ = try await server.sendForm("/v1/galleries/g101/identities/a/sightings", ["rgb": picture(1)])
            let scraped = try await server.scrape()
            #expect(scraped.keys.count { $0.hasPrefix("triptych_gallery_sightings") } == 100)
            #expect(scraped[#"triptych_gallery_sightings{gallery="g101"}"#] == 1)
        }
    }

    @Test("clients without a good key are counted, and those that follow events", .timeLimit(.minutes(2)))
    func clients() async throws {
        try await TestServer.run { server in
            let admin = try await server.key("admin")
            for _ in 0..<2 { #expect(try await server.send("GET", "/v1/galleries").status == 401) }
            let follower = RawConnection(server.port)
            await follower.send("GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(admin)\r\n\r\n")
            _ = await follower.receive { String(decoding: $0, as: UTF8.self).contains("retry:") }
            var scraped = try await server.scrape(key: admin)
            #expect(scraped[#"triptych_problems_total{type="unauthenticated"}"#] == 2)
            #expect(scraped["triptych_event_streams"] == 1)
            _ = try await server.send("POST", "/v1/galleries", key: admin, json: #"{"name": "lot"}"#)
            _ = try await server.send("DELETE", "/v1/galleries/lot", key: admin)
            _ = await follower.receive { String(decoding: $0, as: UTF8.self).contains("event: erased") }
            // What was sent is counted a moment later.
            while scraped["triptych_events_streamed_total"] == nil { scraped = try await server.scrape(key: admin) }
            #expect(scraped["triptych_events_streamed_total"] == 1)
        }
    }
}
