import Foundation
import Similarity

/// What a model's vectors are.
public struct VectorSpace: Hashable, Sendable {
    /// How vectors of several modalities make one, of which cosines are taken.
    public enum Combination: String, Sendable {
        /// Added: all of them lie in one space.
        case sum
        /// Side by side in the model's order.
        case blocks
    }

    /// How they make one.
    public let combination: Combination
    /// The model's, in the order of their blocks.
    public let modalities: [String]
    /// Elements of the vector of one modality.
    public let partDimension: Int

    /// A space as given.
    public init(combination: Combination, modalities: [String], partDimension: Int) {
        (self.combination, self.modalities, self.partDimension) = (combination, modalities, partDimension)
    }

    /// Elements of an embedding: of what all modalities make.
    public var dimension: Int { elements(ofModalities: modalities.count) }

    /// Elements of what so many modalities make.
    func elements(ofModalities count: Int) -> Int { combination == .sum ? partDimension : partDimension * count }
}

/// A vector of one modality, or of a set of them one that cannot be taken apart.
public struct ModalityVector: Equatable, Sendable {
    /// Names, sorted.
    public let modalities: [String]
    /// For one modality as the encoder gave it: its length decides what it counts for beside others.
    public let values: [Float]

    /// A vector of any length but zero.
    public init(modalities: [String], values: [Float]) {
        (self.modalities, self.values) = (modalities.sorted(), values)
    }

    /// One string for the set.
    var key: String { modalities.joined(separator: ",") }
}

/// What a model made of a sighting: a vector a modality, or one for each set of its modalities. Any set of modalities can be
/// compared with any other then.
///
/// Of databases and clients that know only the vector of a whole set, a lone one that cannot be taken apart: it is compared
/// with what has exactly that set.
public struct SightingEmbedding: Equatable, Sendable {
    /// The model's digest. Vectors of two models are never compared.
    public let model: String
    /// nil if nobody said: then only vectors of equal sets of modalities are compared, and single ones as sums.
    public let space: VectorSpace?
    /// By name; one of several modalities is alone.
    public let vectors: [ModalityVector]

    /// A vector a modality, or one for each set of them, named `nir+rgb`.
    public init(model: String, space: VectorSpace?, vectors: [String: [Float]]) {
        (self.model, self.space) = (model, space)
        self.vectors = vectors.map {
            ModalityVector(modalities: $0.key.split(separator: "+").map(String.init), values: $0.value)
        }.sorted { $0.key < $1.key }
    }

    /// A lone vector of a set of modalities.
    public init(model: String, space: VectorSpace? = nil, modalities: [String], values: [Float]) {
        (self.model, self.space) = (model, space)
        vectors = [ModalityVector(modalities: modalities, values: values)]
    }

    /// The mean of several of one model, at least one: of each modality, over those that have it. Where there is a vector for each
    /// set of modalities, of the sets that the widest of them has: of others not all would be there. Throws
    /// `GalleryError.invalid` if they do not go together, and `.dimensionMismatch`.
    public init(meanOf embeddings: [SightingEmbedding]) throws {
        try Validation.require(!embeddings.isEmpty, "sightings", "at least one", "none")
        let (first, count) = (embeddings[0], Set(embeddings.map(\.model)).count)
        try Validation.require(count == 1, "model", "one for all", "\(count)")
        let widest = embeddings.filter(\.hasSets).max { $0.modalities.count < $1.modalities.count }
        let alike = widest.map { widest in embeddings.map { $0.restricted(to: widest.modalities) } } ?? embeddings
        let parts = Dictionary(grouping: alike.flatMap(\.vectors), by: \.key)
        try Validation.require(
            parts.count == 1 || !embeddings.contains(where: \.isFused), "vectors",
            "one a modality, or of one set of them in all", parts.keys.sorted().joined(separator: "; "))
        (model, space) = (first.model, first.space)
        vectors = try parts.sorted { $0.key < $1.key }.map { _, vectors in
            var sum = [Float](repeating: 0, count: vectors[0].values.count)
            for vector in vectors {
                guard vector.values.count == sum.count else {
                    throw GalleryError.dimensionMismatch(
                        model: first.model, expected: sum.count, found: vector.values.count)
                }
                for (index, value) in vector.values.enumerated() { sum[index] += value }
            }
            return ModalityVector(modalities: vectors[0].modalities, values: sum.map { $0 / Float(vectors.count) })
        }
    }

    /// The same vectors, as those of a model that makes nearly the same.
    public func renamed(_ model: String) -> SightingEmbedding {
        SightingEmbedding(model: model, space: space, vectors)
    }

    /// All the modalities, sorted.
    public var modalities: [String] { Set(vectors.flatMap(\.modalities)).sorted() }

    /// Whether it is a lone vector of several modalities.
    public var isFused: Bool { vectors.count == 1 && vectors[0].modalities.count > 1 }

    /// Whether it has a vector for each set of its modalities: of systems in which they give each other something (IEEE, GraFT's
    /// vanilla fusion).
    var hasSets: Bool { vectors.count > 1 && vectors.contains { $0.modalities.count > 1 } }

    /// Of more, the sets would be too many.
    static let mostModalities = 8

    /// The sets of modalities over which it can be compared, each sorted.
    var comparable: [[String]] {
        if isFused { return [modalities] }
        return (1..<(1 << modalities.count)).map { bits in
            modalities.indices.filter { bits & 1 << $0 != 0 }.map { modalities[$0] }
        }
    }

    /// What it would be of some of its modalities alone, one of `comparable`.
    func restricted(to set: [String]) -> SightingEmbedding {
        SightingEmbedding(model: model, space: space, vectors.filter { Set($0.modalities).isSubset(of: set) })
    }

    /// The space that vectors alone imply.
    var impliedSpace: VectorSpace {
        VectorSpace(combination: .sum, modalities: [], partDimension: vectors.first?.values.count ?? 0)
    }

    /// The same in the model's space, without the zeros of blocks that are absent. Throws `GalleryError.dimensionMismatch`, and
    /// `.invalid` for modalities that the model has no block for.
    func resolved(in space: VectorSpace) throws -> SightingEmbedding {
        if space.combination == .blocks {
            let unknown = modalities.filter { !space.modalities.contains($0) }
            try Validation.require(
                unknown.isEmpty, "modalities", "some of \(space.modalities.joined(separator: ", "))",
                unknown.joined(separator: ", "))
        }
        let resolved = try vectors.map { vector in
            ModalityVector(modalities: vector.modalities, values: try blocks(of: vector, in: space))
        }
        return SightingEmbedding(model: model, space: space, resolved)
    }

    private func blocks(of vector: ModalityVector, in space: VectorSpace) throws -> [Float] {
        let width = space.partDimension
        let expected = space.elements(ofModalities: vector.modalities.count)
        if vector.values.count == expected { return vector.values }
        guard space.combination == .blocks, vectors.count == 1, vector.values.count == space.dimension else {
            throw GalleryError.dimensionMismatch(
                model: model, expected: vectors.count == 1 ? space.dimension : expected, found: vector.values.count)
        }
        let present = space.modalities.indices.filter { vector.modalities.contains(space.modalities[$0]) }
        return present.flatMap { vector.values[($0 * width)..<(($0 + 1) * width)] }
    }

    private init(model: String, space: VectorSpace?, _ vectors: [ModalityVector]) {
        (self.model, self.space, self.vectors) = (model, space, vectors)
    }
}

extension SightingEmbedding {
    /// As it was stored.
    init(model: String, space: VectorSpace?, _ stored: StoredVectors) {
        (self.model, self.space) = (model, space)
        vectors = stored.vectors.map {
            ModalityVector(
                modalities: $0.modalities.split(separator: ",").map(String.init), values: UnitVector.values($0.bytes))
        }
    }

    /// For the index.
    var indexed: [IndexVector] { StoredVectors(self).vectors }
}

/// The bytes of vectors in a row of the database.
struct StoredVectors {
    let modalities: String
    let isFused: Bool
    let bytes: Data

    init(modalities: String, isFused: Bool, bytes: Data) {
        (self.modalities, self.isFused, self.bytes) = (modalities, isFused, bytes)
    }

    /// A vector of several modalities is kept at unit length: nothing depends on its own.
    init(_ embedding: SightingEmbedding) {
        let isSum = embedding.space?.combination == .sum
        modalities = embedding.vectors.map(\.key).joined(separator: !embedding.hasSets ? "," : isSum ? "|" : ";")
        isFused = embedding.isFused
        bytes = embedding.vectors.reduce(into: Data()) { data, vector in
            for value in embedding.isFused ? UnitVector.of(vector.values) : vector.values {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
            }
        }
    }

    /// A vector each, in the order of the names; of sets, which are between semicolons, each is as long as its modalities are many,
    /// and between bars as long as any other.
    var vectors: [IndexVector] {
        if isFused { return [IndexVector(modalities: modalities, bytes: bytes)] }
        let separator = [";", "|"].first { modalities.contains($0) } ?? ","
        let keys = modalities.split(separator: separator).map(String.init)
        let sizes = keys.map { separator == ";" ? $0.count { $0 == "," } + 1 : 1 }
        let unit = bytes.count / max(sizes.reduce(0, +), 1)
        var start = bytes.startIndex
        return zip(keys, sizes).map { key, size in
            defer { start += size * unit }
            return IndexVector(modalities: key, bytes: bytes[start..<(start + size * unit)])
        }
    }
}

/// Vectors of length one.
enum UnitVector {
    /// A vector that is of unit length already, to float32's precision, is left as it is, so that what an encoder normalised
    /// comes back bit for bit. Requires finite values that are not all zero.
    static func of(_ values: [Float]) -> [Float] {
        of(values, squares: SimilarityKernels.squares(values))
    }

    /// The same, of which the sum of squares is known.
    static func of(_ values: [Float], squares: Double) -> [Float] {
        let norm = squares.squareRoot()
        return abs(norm - 1) <= 1e-6 ? values : values.map { Float(Double($0) / norm) }
    }

    /// Little-endian float32.
    static func values(_ bytes: Data) -> [Float] {
        let count = bytes.count / 4
        let patterns = [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = bytes.prefix(4 * count).copyBytes(to: buffer) / 4
        }
        return patterns.map { Float(bitPattern: UInt32(littleEndian: $0)) }
    }
}
