import HTTPTypes
import Server
import Testing

@Suite("Request targets")
struct RequestTargetTests {
    @Test("a path is split before it is decoded")
    func segments() throws {
        for (text, segments, query) in [
            ("/", [], nil), ("/?x", [], "x"), ("/console/", ["console", ""], nil), ("/console//", nil, nil),
            ("/console/a/", nil, nil), ("/a", ["a"], nil),
            ("/a/b%2Fc/%C3%A4?x=/y/../%zz", ["a", "b/c", "ä"], "x=/y/../%zz"),
            ("/a?", ["a"], ""), ("/...", ["..."], nil), ("/.a/b.", [".a", "b."], nil), ("HTTPS://h:1/a", ["a"], nil),
            ("http://h?x", [], "x"), ("/a%252e", ["a%2e"], nil), ("/%20", [" "], nil), ("/a+b", ["a+b"], nil),
        ] as [(String, [String]?, String?)] {
            let target = try? RequestTarget(text)
            #expect(target?.segments == segments && target?.query == query, "\(text)")
        }
    }

    @Test("only what is a checkpoint's upload is admitted as one, and only the service's own paths are not admitted")
    func kinds() throws {
        for (text, method, kind) in [
            ("/healthz", .get, .service), ("/readyz?x", .get, .service), ("/metrics", .head, .service),
            ("/openapi.yaml", .get, .service), ("/health%7A", .get, .service), ("/healthz/a", .get, .request),
            ("/v1/models", .post, .upload), ("/v1/models?x", .post, .upload), ("/v1/models", .get, .request),
            ("/v1/models/a", .post, .request), ("/v1/galleries/g/imports", .post, .importing),
            ("/v1/galleries/g/queries/batch", .post, .batch), ("/v1/jobs/a/events", .get, .stream),
            ("/v2", .get, .request),
            ("/v1/%6Dodels", .post, .upload),
        ] as [(String, HTTPRequest.Method, RequestTarget.Kind)] {
            #expect(try RequestTarget(text).kind(method) == kind, "\(text)")
        }
    }
}
