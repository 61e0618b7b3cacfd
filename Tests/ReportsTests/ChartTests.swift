import Charts
import Testing

@Suite("Charts")
struct ChartTests {
    @Test("an axis has round ticks around all values")
    func linear() {
        let axis = Axis([3.2, 41], isFromZero: true)
        #expect(axis.ticks == [0, 10, 20, 30, 40, 50])
        #expect(axis.share(0) == 0 && axis.share(50) == 1 && axis.share(25) == 0.5)
        #expect(axis.ticks.map(axis.text) == ["0", "10", "20", "30", "40", "50"])
        let near = Axis([0.31, 0.33], isFromZero: false)
        #expect(near.share(0.31) >= 0 && near.share(0.33) <= 1 && near.ticks.count < 10)
    }

    @Test("a logarithmic axis has powers of ten as ticks, and equal factors equally far apart")
    func logarithmic() {
        let axis = Axis([0.0002, 0.03], isFromZero: false, scale: .logarithmic)
        #expect(axis.ticks.map(axis.text) == ["1e-4", "0.001", "0.01", "0.1"])
        #expect(abs(axis.share(0.001) - 1.0 / 3) < 1e-12 && abs(axis.share(0.01) - 2.0 / 3) < 1e-12)
        // Of many powers every second or third.
        let wide = Axis([1e-6, 700], isFromZero: false, scale: .logarithmic)
        #expect(wide.ticks.map(wide.text) == ["1e-6", "1e-4", "0.01", "1", "100", "1e4"])
    }

    @Test("names lie side by side")
    func names() {
        let axis = Axis(names: ["a", "b"])
        #expect(axis.share(0) == 0.25 && axis.share(1) == 0.75)
        #expect(axis.ticks.map(axis.text) == ["a", "b"])
    }

    @Test("of equal or no values there is still an axis", arguments: [[], [5], [5, 5], [.nan, .infinity]])
    func degenerate(values: [Double]) {
        for scale in [Axis.Scale.linear, .logarithmic] {
            let axis = Axis(values, isFromZero: false, scale: scale)
            #expect(axis.ticks.count > 1 && axis.share(5).isFinite)
        }
    }

    @Test("text is escaped wherever it stands")
    func escaped() {
        let markup = Markup("p", ["title": "\"<a>\" & b"], text: "1 < 2 & 3")
        #expect(markup.description == "<p title=\"&quot;&lt;a&gt;&quot; &amp; b\">1 &lt; 2 &amp; 3</p>")
        #expect(Markup("img", ["alt": ""]).description == "<img alt=\"\">")
    }

    @Test("a line leaves out what is no number")
    func lines() {
        let series = LineChart.Series("a", [.init(0, 1), .init(1, .nan), .init(2, 3)])
        #expect(series.points == [.init(0, 1), .init(2, 3)])
        let chart = LineChart([series], titles: ("x", "y"), label: "a < b")
        #expect(chart.markup.description.contains("aria-label=\"a &lt; b\""))
        #expect(chart.markup.description.contains("<polyline class=\"line c0\""))
    }

    @Test("a histogram's outline holds each distribution's shares, whatever its size")
    func histogram() {
        let one = HistogramChart([.init("a", [1, 3])], over: 0...1, titles: ("x", "y"), label: "l").markup.description
        let many = HistogramChart([.init("a", [100, 300])], over: 0...1, titles: ("x", "y"), label: "l").markup
        #expect(one == many.description && one.contains("class=\"area c0\""))
    }
}
