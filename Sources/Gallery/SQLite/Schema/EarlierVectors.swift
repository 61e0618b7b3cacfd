import Foundation
import GRDB

/// The vectors of schema version 3, one a set of modalities, taken apart into one a modality.
struct EarlierVectors {
    private let db: Database

    init(_ db: Database) { self.db = db }

    /// A vector of a set of modalities, of unit length.
    private struct Vector {
        let modalities: [String]
        let values: [Float]

        var key: String { modalities.joined(separator: ",") }
    }

    /// What one model made of one sighting. The first vector is that of all its modalities.
    private struct Group {
        let sighting: Int64
        let model: Int64
        var vectors: [Vector]
    }

    /// Copies every embedding into the new table, in the order in which they were made.
    func convert() throws {
        var spaces = try recordedSpaces()
        var group: Group?
        let rows = try Row.fetchCursor(
            db, sql: "SELECT sighting_id, model_id, modalities, vector, is_main FROM embedding_3 ORDER BY id")
        while let row = try rows.next() {
            let vector = Vector(
                modalities: (row[2] as String).split(separator: ",").map(String.init), values: UnitVector.values(row[3])
            )
            if row[4] {
                try group.map { try insert($0, &spaces) }
                group = Group(sighting: row[0], model: row[1], vectors: [vector])
            } else {
                group?.vectors.append(vector)
            }
        }
        try group.map { try insert($0, &spaces) }
        for (model, space) in spaces {
            try db.execute(
                sql: "UPDATE model SET combination = ?, modalities = ? WHERE id = ?",
                arguments: [space.combination.rawValue, space.modalities.joined(separator: ","), model])
        }
    }

    /// Of the models whose files the database knows, by the systems that there were.
    private func recordedSpaces() throws -> [Int64: VectorSpace] {
        struct Summary: Decodable {
            let system: String
            let modalities: [String]
        }
        let rows = try Row.fetchAll(
            db, sql: "SELECT m.id, m.dimension, c.summary FROM model m JOIN checkpoint c ON c.digest = m.digest")
        return rows.reduce(into: [:]) { spaces, row in
            guard let summary = try? JSONDecoder().decode(Summary.self, from: Data((row[2] as String).utf8)) else {
                return
            }
            let isBlocks = ["unicat", "fusion_concat", "ieee"].contains(summary.system)
            spaces[row[0]] = VectorSpace(
                combination: isBlocks ? "blocks" : "sum", modalities: summary.modalities.joined(separator: ","),
                dimension: row[1])
        }
    }

    private func insert(_ group: Group, _ spaces: inout [Int64: VectorSpace]) throws {
        let space = spaces[group.model] ?? Self.space(of: group.vectors)
        spaces[group.model] = space
        let stored = StoredVectors(Self.parts(of: group.vectors, in: space))
        try db.execute(
            sql: """
                INSERT INTO embedding (sighting_id, model_id, modalities, is_fused, vectors) VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [group.sighting, group.model, stored.modalities, stored.isFused, stored.bytes])
    }

    /// Where single modalities have a vector too it says what the space is: blocks leave zeros for the others.
    private static func space(of vectors: [Vector]) -> VectorSpace? {
        guard let main = vectors.first, vectors.count > main.modalities.count else { return nil }
        let singles = vectors.filter { $0.modalities.count == 1 }
        let (dimension, count) = (main.values.count, main.modalities.count)
        let sum = VectorSpace(combination: .sum, modalities: main.modalities, partDimension: dimension)
        guard singles.count == count, dimension % count == 0 else { return sum }
        let width = dimension / count
        var order = [String?](repeating: nil, count: count)
        for single in singles {
            let used = (0..<count).filter { block in
                single.values[(block * width)..<((block + 1) * width)].contains { $0 != 0 }
            }
            guard used.count == 1, order[used[0]] == nil else { return sum }
            order[used[0]] = single.modalities[0]
        }
        return VectorSpace(combination: .blocks, modalities: order.compactMap { $0 }, partDimension: width)
    }

    /// A vector a modality if these make the main one; else that one alone.
    private static func parts(of vectors: [Vector], in space: VectorSpace?) -> SightingEmbedding {
        guard let main = vectors.first else { return SightingEmbedding(model: "", space: nil, vectors: [:]) }
        let fused = SightingEmbedding(model: "", space: space, modalities: main.modalities, values: main.values)
        guard let space else { return fused }
        guard let resolved = try? fused.resolved(in: space) else { return fused }
        switch space.combination {
        case .blocks: return resolved.takenApart(in: space)
        case .sum:
            let singles = main.modalities.compactMap { name in vectors.first { $0.modalities == [name] } }
            guard singles.count == main.modalities.count,
                let lengths = LengthsOfParts(of: main.values, singles.map(\.values))
            else { return resolved }
            let parts = zip(singles, lengths.values).map { ($0.modalities[0], $0.values.map(Double.init), $1) }
            return SightingEmbedding(
                model: "", space: space,
                vectors: Dictionary(
                    uniqueKeysWithValues: parts.map { name, values, length in
                        (name, values.map { Float($0 * length) })
                    }))
        }
    }
}

extension SightingEmbedding {
    /// The blocks of a lone vector: side by side they are that vector.
    func takenApart(in space: VectorSpace) -> SightingEmbedding {
        guard isFused, space.combination == .blocks, let fused = vectors.first else { return self }
        let present = space.modalities.filter(fused.modalities.contains)
        let blocks = present.enumerated().map { index, name in
            (name, Array(fused.values[(index * space.partDimension)..<((index + 1) * space.partDimension)]))
        }
        // A block of zeros has no direction.
        guard blocks.allSatisfy({ $0.1.contains { $0 != 0 } }) else { return self }
        return SightingEmbedding(model: model, space: space, vectors: Dictionary(uniqueKeysWithValues: blocks))
    }
}

/// How long unit vectors must be for their sum to be a given unit vector: least squares, by the normal equations.
private struct LengthsOfParts {
    /// The largest distance of the sum from the vector for it to be that sum.
    static let tolerance = 1e-6

    let values: [Double]

    /// nil if no positive lengths give the vector.
    init?(of sum: [Float], _ parts: [[Float]]) {
        let product = { (a: [Float], b: [Float]) in zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } }
        let matrix = parts.map { a in parts.map { product(a, $0) } + [product(a, sum)] }
        guard let solution = Self.solve(matrix), solution.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
        let residual = sum.indices.reduce(0.0) { total, index in
            let found = zip(parts, solution).reduce(0.0) { $0 + Double($1.0[index]) * $1.1 }
            return total + (found - Double(sum[index])) * (found - Double(sum[index]))
        }
        guard residual.squareRoot() <= Self.tolerance else { return nil }
        values = solution
    }

    /// Gauss's elimination of a symmetric positive definite system with its right side; nil if it is singular.
    private static func solve(_ system: [[Double]]) -> [Double]? {
        var rows = system
        for pivot in rows.indices {
            guard rows[pivot][pivot] > 1e-9 else { return nil }
            for other in rows.indices where other != pivot {
                let factor = rows[other][pivot] / rows[pivot][pivot]
                for column in rows[other].indices { rows[other][column] -= factor * rows[pivot][column] }
            }
        }
        return rows.indices.map { rows[$0][rows.count] / rows[$0][$0] }
    }
}
