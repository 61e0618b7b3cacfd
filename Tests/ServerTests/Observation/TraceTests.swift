import Documents
import Foundation
import Server
import ServingFixtures
import Testing

@Suite("Traces")
struct TraceTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let span = "b7ad6b7169203331"

    @Test("a traceparent is read as the specification has it")
    func reading() {
        let place = TraceContext("00-\(Self.trace)-\(Self.span)-01")
        #expect(place?.trace == Self.trace && place?.span == Self.span && place?.isSampled == true)
        #expect(TraceContext("00-\(Self.trace)-\(Self.span)-00")?.isSampled == false)
        // A later version may have more, and more flags.
        #expect(TraceContext("01-\(Self.trace)-\(Self.span)-03")?.isSampled == true)
        #expect(TraceContext("01-\(Self.trace)-\(Self.span)-01-more")?.span == Self.span)
        let zeros = String(repeating: "0", count: 32)
        for wrong in [
            "", "00", "00-\(Self.trace)-\(Self.span)", "00-\(Self.trace)-\(Self.span)-01-more",
            "ff-\(Self.trace)-\(Self.span)-01", "01-\(Self.trace)-\(Self.span)-01more",
            "00-\(Self.trace.uppercased())-\(Self.span)-01", "00-\(zeros)-\(Self.span)-01",
            "00-\(Self.trace)-\(zeros.prefix(16))-01", "00-\(Self.trace)-\(Self.span)-0g",
            "00_\(Self.trace)-\(Self.span)-01",
            " 00-\(Self.trace)-\(Self.span)-01", "00-\(Self.trace.dropLast())é-\(Self.span)-01",
        ] {
            #expect(TraceContext(wrong) == nil, "\(wrong)")
        }
    }

    @Test(
        "a sampled request and its stages are exported under their client's trace, and no other",
        .timeLimit(.minutes(2)))
    func export() async throws {
        let collector = Collector()
        try await TestServer.run({ configuration in
            configuration.tracing = .init(endpoint: "http://127.0.0.1:\(collector.port)/v1/traces")
            configuration.tracing?.sample = 0
        }) { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "lot"}"#)
            let path = "/v1/galleries/lot/identities/secret/sightings"
            let answer = try await server.sendForm(
                path, ["rgb": picture(1)], headers: ["traceparent": "00-\(Self.trace)-\(Self.span)-01"])
            #expect(answer.status == 201)
            var spans: [JSONValue] = []
            while spans.count < 4 { spans += try #require(try await collector.next()) }
            let names = spans.compactMap { $0["name"]?.string }
            let route = "POST /v1/galleries/{gallery}/identities/{identity}/sightings"
            #expect(names.sorted() == [route, "commit", "decode", "encode"])
            #expect(spans.allSatisfy { $0["traceId"]?.string == Self.trace })
            let request = try #require(spans.first { $0["name"]?.string == route })
            #expect(request["parentSpanId"]?.string == Self.span && request["kind"]?.integer == 2)
            let children = spans.filter { $0["name"]?.string != route }
            #expect(children.allSatisfy { $0["parentSpanId"] == request["spanId"] })
            let (start, end) = (Self.nanoseconds(request, "start"), Self.nanoseconds(request, "end"))
            #expect(children.allSatisfy { Self.nanoseconds($0, "start") <= Self.nanoseconds($0, "end") })
            #expect(start > 1_700_000_000_000_000_000 && start < end)
            // Counted once the exporter has read the collector's answer.
            while try await server.scrape()["triptych_spans_exported_total"] != 4 {}
        }
    }

    private static func nanoseconds(_ span: JSONValue, _ name: String) -> UInt64 {
        span["\(name)TimeUnixNano"]?.string.flatMap { UInt64($0) } ?? 0
    }
}
