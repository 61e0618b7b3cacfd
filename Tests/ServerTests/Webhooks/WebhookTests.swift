import CCurl
import Crypto
import Documents
import Foundation
import Gallery
import Server
import ServingFixtures
import Synchronization
import Testing

@Suite("Webhooks")
struct WebhookTests {
    /// Runs a server that signs calls, and may call this machine.
    private func run(
        allowingPrivate: Bool = true, _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let secret = TemporarySecret()
        try await TestServer.run({
            $0.webhooks.secretFile = secret.path
            $0.webhooks.allowsHTTP = true
            $0.webhooks.allowsPrivate = allowingPrivate
        }) { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            try await body(server)
        }
    }

    private func create(_ server: TestServer, _ url: String, _ more: String = "") async throws -> TestServer.Answer {
        try await server.sendJSON("POST", "/v1/webhooks", #"{"url": "\#(url)"\#(more)}"#)
    }

    private func enrol(_ server: TestServer, _ identity: String) async throws {
        let answer = try await server.sendForm(
            "/v1/galleries/g/identities/\(identity)/sightings", ["rgb": picture(3)])
        #expect(answer.status == 201)
    }

    private func identities(_ calls: [Receiver.Call]) -> [String] {
        calls.map { call in
            let json = try? JSONDecoder().decode(JSONValue.self, from: call.body)
            return json?["data"]?["identity"]?.string ?? json?["type"]?.string ?? "?"
        }
    }

    /// Waits until a webhook says something of itself.
    private func state(
        _ server: TestServer, _ id: String, until isReached: (JSONValue) -> Bool
    ) async throws -> JSONValue {
        while true {
            let json = try await server.send("GET", "/v1/webhooks/\(id)").json
            if isReached(json) { return json }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("what happens is called in order, signed over identifier, time and body, and only what is wanted")
    func calls() async throws {
        let receiver = Receiver()
        try await run { server in
            try await enrol(server, "before")
            let made = try await create(
                server, "http://127.0.0.1:\(receiver.port)/x?y=1",
                #", "filter": {"galleries": ["g"], "kinds": ["enrolled"]}"#)
            #expect(made.status == 201 && made.json["state"]?.string == "active", "\(made.json)")
            let id = try #require(made.json["id"]?.string)
            for number in 0..<5 { try await enrol(server, "id-\(number)") }
            let calls = try await receiver.wait(for: 5)
            #expect(identities(calls) == (0..<5).map { "id-\($0)" })
            for call in calls {
                let (id, time) = (call.headers["webhook-id"] ?? "", call.headers["webhook-timestamp"] ?? "")
                let code = HMAC<SHA256>.authenticationCode(
                    for: Data("\(id).\(time).".utf8) + call.body,
                    using: SymmetricKey(data: Data(TemporarySecret.text.utf8)))
                #expect(call.headers["webhook-signature"] == "v1,\(Data(code).base64EncodedString())")
                #expect(abs(Date().timeIntervalSince1970 - (Double(time) ?? 0)) < 300)
            }
            #expect(Set(calls.compactMap { $0.headers["webhook-id"] }).count == 5)
            let after = try await state(server, id) { $0["delivered"]?.integer == 5 }
            #expect(after["behind"]?.integer == 0 && after["failures"]?.integer == 0)
            #expect(try await server.send("DELETE", "/v1/webhooks/\(id)").status == 204)
            #expect(try await server.send("GET", "/v1/webhooks/\(id)").problem == "webhook-not-found")
        }
    }

    @Test("a signature is that of Standard Webhooks' own example")
    func golden() throws {
        let secret = TemporarySecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let headers = try WebhookSigner(path: secret.path).headers(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: Date(timeIntervalSince1970: 1_614_265_330),
            body: Data(#"{"test": 2432232314}"#.utf8))
        #expect(headers.contains("webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="))
    }

    @Test("a call that is not taken is repeated under the same identifier until it is; redirects are not followed")
    func repeats() async throws {
        let phases: [(answer: String?, error: String?)] = [
            ("500 Internal Server Error", "answered with 500"),
            ("307 Temporary Redirect\r\nLocation: /", "answered with 307"), (nil, "Empty reply from server"),
            ("200 OK", nil),
        ]
        // As many calls are answered alike as there are before the test goes on: a slow machine makes more.
        let phase = Mutex(0)
        let receiver = Receiver { _ in phases[phase.withLock { $0 }].answer }
        try await run { server in
            let made = try await create(server, "http://127.0.0.1:\(receiver.port)/")
            let id = try #require(made.json["id"]?.string)
            try await enrol(server, "a")
            for error in phases.compactMap(\.error) {
                // A call may end between the answer's change and the revival, which then leaves its error: until the next one has.
                let failing = try await state(server, id) {
                    $0["last_error"]?.string == error && $0["state"]?.string == "failing"
                }
                #expect(failing["state"]?.string == "failing" && failing["next_at"] != nil)
                phase.withLock { $0 += 1 }
                // At once, rather than after its pause, and with its failures forgotten.
                #expect(try await server.send("POST", "/v1/webhooks/\(id)/revive").status == 200)
            }
            _ = try await state(server, id) { $0["delivered"]?.integer == 1 }
            let calls = receiver.received
            #expect(calls.count >= 4 && Set(identities(calls)) == ["a"])
            #expect(Set(calls.compactMap { $0.headers["webhook-id"] }).count == 1)
        }
    }

    @Test("an address of this machine or its network is not called, whatever name leads there")
    func privateAddresses() async throws {
        let receiver = Receiver()
        try await run(allowingPrivate: false) { server in
            var ids: [String] = []
            for host in ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0x7f.1"] {
                let made = try await create(server, "http://\(host):\(receiver.port)/")
                ids.append(try #require(made.json["id"]?.string))
            }
            try await enrol(server, "a")
            for id in ids {
                let failing = try await state(server, id) { $0["failures"]?.integer ?? 0 > 0 }
                #expect(failing["last_error"]?.string == "the address is not a public one")
            }
            #expect(receiver.received.isEmpty)
        }
        for address in [
            "127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.1.2.3",
            "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "::", "::1", "::ffff:127.0.0.1",
            "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
            "2001::1", "2002:7f00:1::", "2002:a00:1::", "100::1", "::127.0.0.1", "x", "",
        ] { #expect(!ccurl_is_public(address), "\(address)") }
        for address in [
            "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "2001:4860::1", "::ffff:1.1.1.1",
            "2002:101:101::",
        ] { #expect(ccurl_is_public(address), "\(address)") }
    }

    @Test("what is no https URL, a webhook without a secret, and secrets that are none are refused")
    func refused() async throws {
        try await TestServer.run { server in
            let answer = try await server.sendJSON("POST", "/v1/webhooks", #"{"url": "https://example.org"}"#)
            #expect(answer.status == 409 && answer.problem == "webhooks-off")
        }
        try await run { server in
            for url in [
                "ftp://a.org", "a.org", "https://", "https://u@a.org", "https://u:p@a.org/", "https://a.org/#x",
                "file:///etc/passwd", "https://a.org/" + String(repeating: "x", count: 2048),
            ] {
                let answer = try await create(server, url)
                #expect(answer.status == 400, "\(url)")
            }
            for more in [
                #", "filter": {"kinds": ["x"]}"#, #", "filter": {"kinds": []}"#, #", "filter": {"x": 1}"#,
                #", "after": -1"#,
            ] {
                let answer = try await create(server, "https://a.org", more)
                #expect(answer.status == 400, "\(more)")
            }
        }
        for (text, mode) in [(TemporarySecret.text, 0o640), ("short", 0o600), ("whsec_????", 0o600)] {
            let secret = TemporarySecret(text, mode: mode)
            #expect(throws: ServerError.self) { _ = try WebhookSigner(path: secret.path) }
        }
        #expect(throws: ServerError.self) { _ = try WebhookSigner(path: "/nowhere") }
    }

    @Test("pauses double from a second to an hour, and one that has failed for too long is dead until it is revived")
    func pauses() throws {
        var webhook = try Webhook(url: "https://a.org", filter: EventFilter(), after: 7)
        let start = Date()
        var (now, pauses) = (start, [TimeInterval]())
        while !webhook.isDead {
            webhook.fail("no", at: now, givingUpAfter: 72 * 3600)
            let next = try #require(webhook.nextAt)
            #expect(webhook.isDead || !webhook.isDue(at: now) && webhook.isDue(at: next))
            pauses.append(next.timeIntervalSince(now).rounded())
            now = next
        }
        #expect(pauses.prefix(5) == [1, 2, 4, 8, 16] && pauses.max() == 3600 && pauses.count < 100)
        #expect(abs(now.timeIntervalSince(start) - 73 * 3600) < 3700 && !webhook.isDue(at: .distantFuture))
        #expect(webhook.position == 7)
        webhook.revive()
        #expect(webhook.isDue(at: start) && webhook.failures == 0 && webhook.position == 7)
        webhook.advance(to: 9, delivering: 1)
        #expect(webhook.delivered == 1 && webhook.lastError == nil)
    }
}
