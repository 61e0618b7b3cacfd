import Foundation
import Randomness

/// Vectors as sightings of identities have them: a centre each, and what differs from sighting to sighting.
struct SightingGenerator: Sendable {
    static let perIdentity = 20
    /// Of a sighting from its centre, in the centres' own lengths.
    private static let spread: Float = 0.6

    private let dimension: Int
    private let rows: Int
    private let deviations: [Float]
    /// Sines and cosines of rotations in pairs of axes, layer by layer: all axes come to depend on all.
    private let layers: [[(sine: Float, cosine: Float)]]

    init(dimension: Int, rows: Int, isDecaying: Bool) {
        (self.dimension, self.rows) = (dimension, rows)
        deviations = (0..<dimension).map { isDecaying ? powf(1 + Float($0) / 8, -0.75) : 1 }
        var generator = SplitMix64(seed: 7)
        layers = (0..<12).map { _ in
            (0..<(dimension / 2)).map { _ in
                let angle = generator.uniform(0...(2 * .pi))
                return (sinf(angle), cosf(angle))
            }
        }
    }

    /// A sighting of the identity that it belongs to.
    func vector(_ row: Int) -> [Float] { sighting(row / Self.perIdentity, seed: UInt64(row)) }

    /// Sightings that are not among the rows, of identities that are.
    func queries(_ count: Int) -> [[Float]] {
        let identities = max(rows / Self.perIdentity, 1)
        return (0..<count).map { sighting($0 * 7919 % identities, seed: UInt64(rows + $0)) }
    }

    private func sighting(_ identity: Int, seed: UInt64) -> [Float] {
        var centre = SplitMix64(seed: 1, stream: UInt64(identity))
        var own = SplitMix64(seed: 2, stream: seed)
        var vector = deviations.map { $0 * (centre.normal() + Self.spread * own.normal()) }
        for (index, layer) in layers.enumerated() {
            rotate(&vector, layer, stride: (1 << (index % 10)) % max(dimension, 1))
        }
        let norm = vector.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / norm }
    }

    /// Rotates each axis of the first half, shifted, with one of the second.
    private func rotate(_ vector: inout [Float], _ layer: [(sine: Float, cosine: Float)], stride: Int) {
        let half = dimension / 2
        for (index, angle) in layer.enumerated() {
            let (a, b) = (index, half + (index + stride) % half)
            let (x, y) = (vector[a], vector[b])
            vector[a] = angle.cosine * x - angle.sine * y
            vector[b] = angle.sine * x + angle.cosine * y
        }
        // The next layer pairs others.
        vector = (0..<half).flatMap { [vector[$0], vector[half + $0]] } + vector[(2 * half)...]
    }
}
