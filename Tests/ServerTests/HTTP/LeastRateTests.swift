import Server
import Testing

@Suite("Least rate")
struct LeastRateTests {
    @Test("whoever stands still for as long as the patience has broken it, however fast it was before")
    func still() {
        var rate = LeastRate(bytesPerSecond: 1000, patience: .seconds(10))
        rate.moved(1_000_000)
        rate.waited(.milliseconds(9999))
        #expect(!rate.isBroken)
        rate.waited(.milliseconds(1))
        #expect(rate.isBroken)
    }

    @Test("half the rate lasts for twice the patience, the rate and more for ever")
    func slow() {
        for (bytes, seconds) in [(500, 20), (900, 92), (1000, 100_000), (5000, 100_000)] {
            var rate = LeastRate(bytesPerSecond: 1000, patience: .seconds(10))
            var lasted = 0
            while !rate.isBroken && lasted < 100_000 {
                rate.waited(.seconds(1))
                if !rate.isBroken { rate.moved(bytes) }
                lasted += 1
            }
            #expect((seconds - 2...seconds).contains(lasted), "\(bytes): \(lasted)")
        }
    }
}
