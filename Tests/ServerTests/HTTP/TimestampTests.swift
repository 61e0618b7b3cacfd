import Foundation
import ServingFixtures
import Testing

@Suite("Times")
struct TimestampTests {
    /// Enrols with a time and gives what the server says that it is; nil if it is refused.
    private func captured(_ text: String, _ server: TestServer) async throws -> String? {
        let answer = try await server.sendForm(
            "/v1/galleries/g/identities/a/sightings", ["rgb": picture(1)], options: #"{"captured_at": "\#(text)"}"#)
        #expect(answer.status == 201 || answer.problem == "invalid-field", "\(text): \(answer.json)")
        return answer.json["captured_at"]?.string
    }

    @Test("a time comes back as the same instant, to the millisecond, whatever its offset")
    func accepted() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for (text, expected) in [
                ("2026-01-31T12:00:00.010Z", "2026-01-31T12:00:00.010Z"),
                ("2026-01-31T12:00:00.001Z", "2026-01-31T12:00:00.001Z"),
                ("2026-01-31T12:00:00.9999999999999Z", "2026-01-31T12:00:00.999Z"),
                ("2026-01-31T12:00:00.1Z", "2026-01-31T12:00:00.100Z"),
                ("2026-01-31t12:00:00z", "2026-01-31T12:00:00.000Z"),
                ("2024-02-29T00:30:00+02:00", "2024-02-28T22:30:00.000Z"),
                ("2000-02-29T23:59:59-00:30", "2000-03-01T00:29:59.000Z"),
                ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
                ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
                ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
                ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),  // A leap second; POSIX time has none.
                ("2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00.000Z"),
            ] {
                let found = try await captured(text, server)
                #expect(found == expected, "\(text)")
            }
        }
    }

    @Test("what is no time is refused, not bent into one")
    func refused() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for text in [
                "2026-02-30T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
                "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
                "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T12:00:60Z", "2026-01-01T00:00:00",
                "2026-01-01T00:00:00.Z", "2026-01-01T00:00Z", "2026-01-01 00:00:00Z", "2026-1-1T00:00:00Z",
                "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0200", "2026-01-01T00:00:00+02:60",
                "2026-01-01", "20260101T000000Z", "+2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ",
                "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2026-01-01T00:00:00٫5Z", "２026-01-01T00:00:00Z",
            ] {
                #expect(try await captured(text, server) == nil, "\(text)")
            }
        }
    }
}
