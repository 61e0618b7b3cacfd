import Foundation
import Mapping
import Randomness
import Training

/// A plane on which sightings that a model finds alike lie together: t-SNE of the cosines.
public struct EmbeddingMap: Sendable, Encodable {
    /// A sighting on it.
    public struct Point: Sendable, Encodable {
        /// From -1 to 1.
        public let x: Float, y: Float
        /// Whom it shows.
        public let identity: String
        /// From where.
        public let camera: Int
        /// The sighting's.
        public let name: String
    }

    /// Identities have colours and forms of their own up to this.
    private static let identities = 40
    private static let sightings = 1000
    private static let landmarks = 256
    private static let perplexity = 30.0

    /// In the order of their identities.
    public let points: [Point]
    /// Sightings and identities that there were.
    public let ofSightings: Int, ofIdentities: Int

    private enum CodingKeys: String, CodingKey {
        case points
        case ofSightings = "of_sightings"
        case ofIdentities = "of_identities"
    }

    /// Lays out some identities with all of their sightings, as many as there is room for, chosen by a fixed seed; nil for fewer
    /// than five sightings. O(sightings² · dimension) for what is chosen, some seconds.
    init?(_ sightings: [TriplesDataset.Sighting], _ encoded: EncodedSightings) {
        let all = Set(encoded.modalities)
        let chosen = Self.choose(sightings).filter { !all.isDisjoint(with: sightings[$0].files.keys) }
        guard chosen.count >= 5 else { return nil }
        let items = encoded.items(chosen, all)
        var scores = [[Float]](repeating: [], count: chosen.count)
        EncodedTask(name: "map", queries: items, galleries: [items], rule: .everything).visit { index, keys in
            // Keys are -2·cosine; what cannot be compared lies as vectors at right angles do.
            scores[index] = keys.map { $0 < .infinity ? Float(-$0 / 2) : 0 }
        }
        points = zip(chosen, Self.laidOut(scores)).map { index, position in
            let sighting = sightings[index]
            return Point(
                x: position.x, y: position.y, identity: sighting.identity, camera: sighting.camera, name: sighting.name)
        }
        (ofSightings, ofIdentities) = (sightings.count, Set(sightings.map(\.identity)).count)
    }

    private static func choose(_ sightings: [TriplesDataset.Sighting]) -> [Int] {
        let groups = Dictionary(grouping: sightings.indices) { sightings[$0].identity }
        var generator = SplitMix64(seed: 1)
        var chosen: [(identity: String, places: [Int])] = []
        var count = 0
        for identity in generator.shuffled(groups.keys.sorted()).prefix(identities) {
            let places = (groups[identity] ?? []).prefix(Self.sightings - count)
            count += places.count
            chosen.append((identity, Array(places)))
        }
        return chosen.sorted { $0.identity < $1.identity }.flatMap(\.places)
    }

    private static func laidOut(_ scores: [[Float]]) -> [SIMD2<Float>] {
        let count = scores.count
        let perplexity = min(perplexity, Double(count - 1) / 3)
        let neighbours = min(max(Int(3 * perplexity), 3), count - 1)
        let nearest = scores.enumerated().map { point, row in
            row.indices.filter { $0 != point }.sorted { (row[$1], $0) < (row[$0], $1) }.prefix(neighbours).map {
                NeighbourGraph.Neighbour(point: Int32($0), squared: max(2 - 2 * Double(row[$0]), 0))
            }
        }
        var generator = SplitMix64(seed: 1)
        let landmarks = generator.shuffled(Array(0..<count)).prefix(landmarks).sorted()
        let columns = scores.map { row in landmarks.map { row[$0] } }
        let start = LandmarkLayout(landmarks.map { columns[$0] })
        // Two that look the same are not one point.
        let positions = columns.map { row in
            start.position(row) + SIMD2(Double(generator.normal()), Double(generator.normal())) * 1e-3
        }
        var layout = TSNE(NeighbourGraph(nearest, perplexity: perplexity), from: positions)
        for _ in 0..<TSNE.iterations { layout.move(by: [layout.forces(on: 0..<count)]) }
        return layout.normalised
    }
}
