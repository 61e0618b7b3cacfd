import Testing

import Reports

@Suite("Spread over seeds")
struct SpreadTests {
    /// Of scipy.stats.t.ppf.
    @Test(
        "quantiles of Student's t are scipy's",
        arguments: [
            (1.0, 0.975, 12.706204736174694), (2, 0.975, 4.302652729749462), (3.7, 0.975, 2.8675207071911895),
            (10, 0.95, 1.8124611228116756), (30, 0.995, 2.7499956535672254), (400, 0.975, 1.9659123432294627),
        ])
    func quantiles(freedom: Double, share: Double, expected: Double) {
        #expect(abs(StudentT(freedom: freedom).quantile(share) / expected - 1) < 1e-9)
    }

    /// Of scipy.stats.ttest_ind(…, equal_var=False).confidence_interval().
    @Test("the interval of a difference is that of Welch's test")
    func interval() throws {
        let difference = Difference(Spread([1, 2, 3.5]), from: Spread([4, 5, 5.2, 6]))
        #expect(abs(try #require(difference.low) + 5.422607286496577) < 1e-9)
        #expect(abs(try #require(difference.high) + 0.3440593801700893) < 1e-9)
        #expect(difference.verdict == .beyondSpread)
        #expect(Difference(Spread([1, 2, 3.5]), from: Spread([1.5, 3, 2])).verdict == .withinSpread)
    }

    @Test("of one seed nothing is said, however far apart")
    func oneSeed() {
        let difference = Difference(Spread([90]), from: Spread([10, 11]))
        #expect(difference.verdict == .unknown && difference.low == nil && difference.high == nil)
        #expect(Spread([90]).deviation == nil)
    }
}
