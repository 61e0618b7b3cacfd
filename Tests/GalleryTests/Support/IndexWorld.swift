import Foundation
import Gallery
import Similarity
import Testing
import Threads

/// An index of random sightings, and what a float32 scan over them finds that knows nothing of codes and bounds.
struct IndexWorld {
    static let dimension = 24
    static let sets = ["nir,rgb,tir", "nir,rgb", "rgb,tir", "nir,tir", "rgb", "nir", "tir"]
    private static let threads = WorkerThreads("index tests", count: 3)

    struct Sighting {
        let number: Int64
        let identity: Int64
        let camera: String
        let time: Int64
        let vectors: [IndexVector]

        var names: [String] {
            hasSets
                ? vectors.map(\.modalities).filter { !$0.contains(",") }
                : vectors.flatMap { $0.modalities.split(separator: ",").map(String.init) }
        }
        var isFused: Bool { vectors.count == 1 && vectors[0].modalities.contains(",") }
        var hasSets: Bool { vectors.count > 1 && vectors.contains { $0.modalities.contains(",") } }
    }

    /// What the store would have.
    struct Source: VectorSource {
        var sightings: [Int64: [IndexVector]]

        func vectors(of numbers: [Int64]) -> [Int64: [IndexVector]] {
            numbers.reduce(into: [:]) { $0[$1] = sightings[$1] }
        }
    }

    let space: VectorSpace
    var sightings: [Sighting] = []
    let index: VectorIndex

    var source: Source {
        Source(sightings: Dictionary(uniqueKeysWithValues: sightings.map { ($0.number, $0.vectors) }))
    }

    init(_ combination: VectorSpace.Combination, _ count: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        // Not in the order of their names.
        space = VectorSpace(combination: combination, modalities: ["tir", "rgb", "nir"], partDimension: Self.dimension)
        index = VectorIndex(space: space)
        for number in 0..<count {
            // Some are the same to the bit: ties.
            let same = number % 13 == 5 ? sightings.randomElement(using: &generator)?.vectors : nil
            let set = number % 3 == 0 ? Self.sets[0] : Self.sets.randomElement(using: &generator) ?? "rgb"
            let sighting = Sighting(
                number: Int64(number), identity: Int64(number * 7 % 41), camera: "c\(number % 5)",
                time: Int64(number % 100),
                vectors: same ?? Self.vectors(set, space, fused: number % 11 == 0, &generator))
            sightings.append(sighting)
            let entry = VectorIndex.Entry(
                sighting: sighting.number, identity: sighting.identity, camera: sighting.camera,
                capturedAt: sighting.time, vectors: sighting.vectors)
            #expect(index.append(entry))
        }
    }

    /// By definition, without the library's own way of combining. nil if there is nothing to compare.
    func score(_ query: Sighting, _ sighting: Sighting) -> Float? {
        let shared = query.names.filter(sighting.names.contains)
        if query.isFused || sighting.isFused {
            guard query.names.sorted() == sighting.names.sorted() else { return nil }
        }
        if shared.isEmpty && space.combination == .blocks { return nil }
        let unit = { (side: Sighting) -> [Float] in
            if side.isFused { return Self.values(side.vectors[0].bytes) }
            let names = shared.isEmpty ? side.names : shared
            let parts = { (name: String) in Self.values(side.vectors.first { $0.modalities == name }?.bytes ?? Data()) }
            var combined = [Float](repeating: 0, count: Self.dimension)
            if side.hasSets {
                combined = parts(names.sorted().joined(separator: ","))
            } else if space.combination == .sum {
                for name in names.sorted() { combined = zip(combined, parts(name)).map(+) }
            } else {
                combined = space.modalities.filter(names.contains).flatMap(parts)
            }
            let norm = combined.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            return abs(norm - 1) <= 1e-6 ? combined : combined.map { Float(Double($0) / norm) }
        }
        return SimilarityQuery(unit(query)).product(with: unit(sighting))
    }

    private static func values(_ data: Data) -> [Float] {
        stride(from: 0, to: data.count, by: 4).map { offset in
            Float(bitPattern: data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) })
        }
    }

    func query(_ set: String, fused: Bool = false, seed: UInt64 = 99) -> Sighting {
        var generator = SeededGenerator(seed: seed)
        return Sighting(
            number: -1, identity: -1, camera: "", time: 0,
            vectors: Self.vectors(set, space, fused: fused, &generator))
    }

    func search(_ query: VectorIndex.Query, slices: Int = 3) async throws -> VectorIndex.Outcome {
        try await search([query], slices: slices)[0]
    }

    func search(_ queries: [VectorIndex.Query], slices: Int = 3) async throws -> [VectorIndex.Outcome] {
        try await index.search(queries, source: source, threads: Self.threads, slices: slices)
    }

    static func vectors(
        _ set: String, _ space: VectorSpace, fused: Bool, _ generator: inout SeededGenerator
    ) -> [IndexVector] {
        let names = set.split(separator: ",").map(String.init)
        if fused && names.count > 1 {
            let count = space.combination == .sum ? dimension : dimension * names.count
            return [IndexVector(modalities: set, bytes: bytes(generator.unitVector(count)))]
        }
        if Bool.random(using: &generator) {
            return (1..<(1 << names.count)).map { bits in
                let chosen = names.indices.filter { bits & 1 << $0 != 0 }.map { names[$0] }
                let count = space.combination == .sum ? dimension : dimension * chosen.count
                let vector = generator.unitVector(count).map { $0 * Float(bits) }
                return IndexVector(modalities: chosen.joined(separator: ","), bytes: bytes(vector))
            }
        }
        return names.map { name in
            let length = Float.random(in: 0.2..<3, using: &generator)
            return IndexVector(modalities: name, bytes: bytes(generator.unitVector(dimension).map { $0 * length }))
        }
    }
}
