import Documents
import Serving
import Testing

@Suite("Comparing two models")
struct ShadowReportTests {
    @Test("agreement, scores and thresholds of vectors made by hand")
    func figures() {
        let active: [[Float]] = [[1, 0], [0.8, 0.6], [0, 1], [-1, 0]]
        // The last two change places.
        let candidate: [[Float]] = [[1, 0], [0.8, 0.6], [-1, 0], [0, 1]]
        let report = ShadowReport(active: active, candidate: candidate, identities: [7, 7, 8, 9])
        #expect(report.count == 4 && report.top10 == 1)
        // Row 0 → 1 in both, 1 → 0 in both, 2 → 1 then 3, 3 → 2 then 1.
        #expect(report.top1 == 0.5)
        let scores = report.json["mean_scores"]
        #expect(abs((scores?["active"]?["same_identity"]?.number ?? 0) - 0.8) < 1e-6)
        // 0, −1, 0.6, −0.8, 0: their mean.
        #expect(abs((scores?["candidate"]?["different_identity"]?.number ?? 0) + 0.24) < 1e-6)
        let thresholds = report.json["thresholds"]?.array
        #expect(abs((thresholds?[0]["active"]?.number ?? 0) - 0.6) < 1e-6)
    }
}
