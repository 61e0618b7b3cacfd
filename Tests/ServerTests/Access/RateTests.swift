import Server
import Testing

@Suite("Rates of keys")
struct RateTests {
    @Test("a bucket has a minute's worth, fills evenly, never above that, and says when the next may come")
    func bucket() {
        let start = ContinuousClock.now
        var bucket = TokenBucket(perMinute: 30, at: start)
        var allowed = 0
        for _ in 0..<40 where bucket.take(at: start).isAllowed { allowed += 1 }
        #expect(allowed == 30)
        let early = bucket.take(at: start + .milliseconds(1900))
        #expect(!early.isAllowed && early.state.remaining == 0 && early.state.secondsLeft == 1)
        #expect(bucket.take(at: start + .seconds(2)).isAllowed)
        #expect(!bucket.take(at: start + .seconds(2)).isAllowed)
        // A clock that goes back gives nothing.
        #expect(!bucket.take(at: start).isAllowed)
        let later = start + .seconds(1_000_000)
        allowed = 0
        for _ in 0..<100 where bucket.take(at: later).isAllowed { allowed += 1 }
        #expect(allowed == 30)
    }

    @Test("a bucket whose rate changes keeps what is left, up to the new rate's minute")
    func change() {
        let start = ContinuousClock.now
        var bucket = TokenBucket(perMinute: 30, at: start)
        bucket.change(perMinute: 2, at: start)
        let narrow = (0..<3).map { _ in bucket.take(at: start).isAllowed }
        #expect(narrow == [true, true, false])
        bucket.change(perMinute: 600, at: start)
        #expect(!bucket.take(at: start).isAllowed)
        #expect(bucket.take(at: start + .milliseconds(101)).isAllowed)
    }

    @Test("buckets of clients that have gone are forgotten, and those that are not full are kept")
    func buckets() {
        let start = ContinuousClock.now
        var buckets = TokenBuckets()
        for number in 0..<1000 { _ = buckets.take("early-\(number)", perMinute: 1, at: start) }
        let later = start + .seconds(60)
        #expect(buckets.take("busy", perMinute: 1, at: later).isAllowed)
        for number in 0..<1000 { _ = buckets.take("late-\(number)", perMinute: 1, at: later) }
        #expect(buckets.count == 1001 && !buckets.take("busy", perMinute: 1, at: later).isAllowed)
    }

    @Test("past its rate a key is told when to come back; others are not concerned")
    func limit() async throws {
        try await TestServer.run {
            $0.limits.requestsPerMinute = 1000
        } _: { server in
            let admin = try await server.key("admin")
            let slow = try await server.key("read", options: #", "requests_per_minute": 3"#, by: admin)
            for left in [2, 1, 0] {
                let answer = try await server.send("GET", "/v1/galleries", key: slow)
                #expect(answer.status == 200 && answer.headers["ratelimit-policy"] == "\"key\";q=3;w=60")
                #expect(answer.headers["ratelimit"]?.hasPrefix("\"key\";r=\(left);t=") == true)
            }
            let refused = try await server.send("GET", "/v1/galleries", key: slow)
            #expect(refused.status == 429 && refused.problem == "too-many-requests")
            let wait = try #require(refused.headers["retry-after"].flatMap { Int($0) })
            #expect((1...20).contains(wait))
            let other = try await server.send("GET", "/v1/galleries", key: admin)
            #expect(other.status == 200 && other.headers["ratelimit-policy"] == "\"key\";q=1000;w=60")
        }
    }
}
