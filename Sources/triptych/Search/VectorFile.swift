import Documents
import Foundation
import Gallery

/// Vectors of one length in a temporary file, one after the other: what a gallery keeps in its database.
final class VectorFile: VectorSource {
    private let descriptor: Int32
    private let dimension: Int
    private let writer: FileHandle

    /// Throws `FileError` if no file can be made there.
    init(in folder: String, dimension: Int) throws {
        self.dimension = dimension
        let path = "\(folder)/triptych-vectors-\(UUID().uuidString)"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError(operation: "create \(path)", code: errno) }
        // Nobody else needs its name, and so nothing is left of it whatever happens.
        unlink(path)
        writer = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Vectors that are there already. Throws `FileError`.
    init(reading path: String, dimension: Int) throws {
        self.dimension = dimension
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open \(path)", code: errno) }
        writer = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// How many there are.
    var count: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) / (4 * dimension) : 0
    }

    private nonisolated(unsafe) var pending = Data()

    /// Appends a vector. One caller at a time, and before anybody reads.
    func append(_ vector: [Float]) throws {
        pending.append(Self.vector(vector).bytes)
        if pending.count > 1 << 22 { try finish() }
    }

    /// Writes what is left.
    func finish() throws {
        try writer.write(contentsOf: pending)
        pending.removeAll(keepingCapacity: true)
    }

    static func vector(_ values: [Float]) -> IndexVector {
        IndexVector(modalities: "rgb", bytes: values.withUnsafeBytes { Data($0) })
    }

    func vectors(of sightings: [Int64]) throws -> [Int64: [IndexVector]] {
        try sightings.reduce(into: [:]) { found, sighting in
            found[sighting] = [IndexVector(modalities: "rgb", bytes: try read(Int(sighting), count: 1))]
        }
    }

    private func read(_ row: Int, count: Int) throws -> Data {
        let size = 4 * dimension * count
        var data = Data(count: size)
        let found = data.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, size, off_t(row * 4 * dimension)) }
        guard found > 0 else { throw FileError(operation: "read vectors", code: errno) }
        return data.prefix(found)
    }

    /// The score of each of the first vectors with another, as a scan has it.
    func scan(_ query: IndexVector, rows: Int) throws -> [Float] {
        let space = VectorSpace(combination: .sum, modalities: ["rgb"], partDimension: dimension)
        var scores: [Float] = []
        let (size, several) = (4 * dimension, 4096)
        while scores.count < rows {
            let block = try read(scores.count, count: min(several, rows - scores.count))
            for row in 0..<(block.count / size) {
                let bytes = block.subdata(in: (block.startIndex + row * size)..<(block.startIndex + (row + 1) * size))
                scores.append(
                    ExactScore.cosine([query], [IndexVector(modalities: "rgb", bytes: bytes)], in: space) ?? -.infinity)
            }
        }
        return scores
    }
}
