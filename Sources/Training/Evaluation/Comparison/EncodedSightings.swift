import Inference
import Tensor

/// Sightings as one or more models see them, each image encoded once: of these vectors any set of modalities is ranked.
public struct EncodedSightings: Sendable {
    /// In the order of their indices.
    let sightings: [TriplesDataset.Sighting]
    private let models: [ModelVectors]

    init(_ sightings: [TriplesDataset.Sighting], _ models: [ModelVectors]) {
        (self.sightings, self.models) = (sightings, models)
    }

    /// The same sightings by several models: an ensemble, which ranks by the mean of their cosines.
    ///
    /// - Parameter members: at least one; of the same sightings in the same order.
    public static func ensemble(_ members: [EncodedSightings]) -> EncodedSightings {
        EncodedSightings(members.first?.sightings ?? [], members.flatMap(\.models))
    }

    /// In `Modality`'s order, of all models.
    public var modalities: [Modality] { Set(models.flatMap(\.modalities)).sorted() }

    /// Some sightings, each from those of the modalities that it has.
    ///
    /// - Parameters:
    ///   - indices: of the sightings, in the order that ranks keep where distances are equal.
    ///   - asked: one of the sets that were encoded.
    ///   - isWhole: whether one that lacks any of these is left out; otherwise only one that has none of them.
    ///   - item: what the rules of the ranking look at.
    public func items(
        _ indices: [Int], _ asked: Set<Modality>, isWhole: Bool = false,
        as item: (TriplesDataset.Sighting) -> RetrievalMetrics.Item = { .init($0) }
    ) -> EncodedItems {
        let known = asked.intersection(modalities)
        var (items, places) = ([RetrievalMetrics.Item](), [Int]())
        var members: [Set<Modality>: [Int]] = [:]
        for (place, index) in indices.enumerated() {
            let present = known.intersection(sightings[index].files.keys)
            guard !present.isEmpty, !isWhole || present == known else { continue }
            members[present, default: []].append(items.count)
            items.append(item(sightings[index]))
            places.append(place)
        }
        let groups = members.sorted { $0.value[0] < $1.value[0] }.map { set, members in
            let rows = members.map { indices[places[$0]] }
            return EncodedItems.Group(
                members: members, modalities: set.label, models: models.map { $0.parts(set, rows) })
        }
        return EncodedItems(items: items, places: places, leftOut: indices.count - items.count, groups: groups)
    }

    /// All of them, each from those of the modalities that it has.
    public func items(_ asked: [Modality]) -> EncodedItems { items(Array(sightings.indices), Set(asked)) }
}

/// One model's vectors of some sightings.
struct ModelVectors: Sendable {
    let modalities: [Modality]
    private let combination: Combination
    /// By modality alone, or by each set that was encoded, where the modalities of a set give each other something.
    private var tables: [Set<Modality>: VectorTable] = [:]

    init(of encoder: MultimodalEncoder) { (modalities, combination) = (encoder.modalities, encoder.combination) }

    /// Adds what was made of a batch.
    mutating func append(_ rows: [Set<Modality>: Tensor], at indices: [Int]) {
        for (set, rows) in rows { tables[set, default: VectorTable()].append(rows, at: indices) }
    }

    /// The vectors of sightings that have some modalities; nil if the model knows none of these.
    func parts(_ set: Set<Modality>, _ indices: [Int]) -> PartVectors? {
        let own = modalities.filter(set.contains)
        if own.isEmpty { return nil }
        let rows = tables.filter { $0.key.isSubset(of: set) }.mapValues { $0.rows(at: indices) }
        return PartVectors(combination, own, rows)
    }
}

/// Vectors of one width, by the index of what they belong to.
private struct VectorTable: Sendable {
    private var places: [Int: Int] = [:]
    private var elements: [Float] = []
    private var width = 0

    mutating func append(_ rows: Tensor, at indices: [Int]) {
        width = rows.shape[1]
        for index in indices { places[index] = places.count }
        rows.withUnsafeScalars { elements.append(contentsOf: $0) }
    }

    func rows(at indices: [Int]) -> Tensor {
        Tensor(shape: [indices.count, width]) { target in
            var next = 0
            for index in indices {
                let start = (places[index] ?? 0) * width
                for element in elements[start..<(start + width)] {
                    target[next] = element
                    next += 1
                }
            }
        }
    }
}
