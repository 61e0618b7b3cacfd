import Foundation
import Synthesis
import Testing

struct RasterTests {
    private func area(_ path: Path, width: Int = 32, height: Int = 24) -> Float {
        var sum: Float = 0
        CoverageMask(path, canvasWidth: width, canvasHeight: height).forEachCovered { _, _, coverage in
            sum += coverage
        }
        return sum
    }

    @Test("Coverage is the exact area, at any position and slope")
    func exactArea() {
        #expect(abs(area(.rectangle(3.25...9.5, 2.125...7.75)) - 6.25 * 5.625) < 1e-3)
        let triangle = Path([Point(2.3, 1.7), Point(29.1, 5.2), Point(11.6, 22.4)])
        #expect(abs(area(triangle) - 261.105) < 0.02)
        #expect(abs(area(.ellipse(Point(15, 12), Point(9, 6))) - 27 * Float.pi * 2) < 2)
    }

    @Test("The direction of a contour does not matter")
    func orientation() {
        let corners = [Point(4, 3), Point(20, 6), Point(9, 18)]
        #expect(abs(area(Path(corners)) - area(Path(corners.reversed()))) < 1e-3)
    }

    @Test("A single pixel gets the share of it that is covered")
    func pixel() {
        var seen: [Float] = []
        CoverageMask(.rectangle(5.25...6, 3...3.5), canvasWidth: 10, canvasHeight: 10).forEachCovered {
            x, y, coverage in
            #expect(x == 5 && y == 3)
            seen.append(coverage)
        }
        #expect(seen.count == 1)
        #expect(abs((seen.first ?? 0) - 0.375) < 1e-6)
    }

    @Test("Paths are cut at the canvas on every side")
    func clipped() {
        #expect(abs(area(.rectangle(-50...90, -50...90)) - 32 * 24) < 1e-2)
        #expect(abs(area(.rectangle(-5...4, -5...4)) - 16) < 1e-3)
        #expect(abs(area(.rectangle(30...99, 20...99)) - 8) < 1e-3)
        #expect(area(.rectangle(40...50, 3...4)) == 0)
        #expect(area(.rectangle(3...4, -9 ... -2)) == 0)
        #expect(area(Path()) == 0)
    }

    @Test("Half planes cut polygons along a straight line")
    func halfPlane() {
        let square = Path.rectangle(2...10, 2...10)
        #expect(abs(area(square.clipped { $0.y - 6 }) - 32) < 1e-3)
        #expect(abs(area(square.clipped { $0.x + $0.y - 12 }) - 32) < 1e-3)
        #expect(square.clipped { $0.x - 11 }.contours.isEmpty)
    }

    @Test("A stroke is as wide as it is told, and its joints do not cancel")
    func stroke() {
        let line = Path.stroke([Point(4, 12), Point(20, 12)], width: 3)
        #expect(abs(area(line) - 48) < 1e-2)
        let bent = Path.stroke([Point(4, 4), Point(20, 4), Point(20, 20)], width: 2)
        #expect(area(bent) > 60)
    }

    @Test("An opacity of zero in a band leaves that band as it was")
    func bands() {
        var canvas = Canvas(width: 4, height: 4)
        let surface = Spectrum(0.5, 0.6, 0.7, nir: 0.8, celsius: 30)
        canvas.fill(
            .rectangle(0...4, 0...4), with: .solid(surface, opacity: .opacity(visible: 1, nir: 0.5, tir: 0)))
        let pixel = canvas.pixels[5]
        #expect(pixel[0] == 0.5 && pixel[2] == 0.7)
        #expect(pixel[3] == 0.4)
        #expect(pixel[4] == 0)
    }
}
