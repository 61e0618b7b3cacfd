import CKernels
import Synchronization

/// Images between convolutions in int8: bfloat16s [B, H, W, C], half of the memory that float32s would go through, and of each
/// image its largest number, which the convolution that writes it finds: the scale of the codes that the next one reads.
public final class HalfMap: Sendable {
    /// Codes with an edge of zeros, and each image's scale.
    struct Codes: Sendable {
        let words: Storage
        let scales: Storage
    }

    let shape: Shape
    private let elements: Storage
    private let largest: Storage
    /// By the width of the edge: two convolutions may read one map.
    private let codes = Mutex<[Int: Codes]>([:])

    /// A map that a kernel fills, before anybody else has it.
    init(uninitialized shape: Shape) {
        self.shape = shape
        elements = Storage(count: (shape.count + 1) / 2)
        largest = Storage(count: shape[0])
    }

    /// The nearest bfloat16s, ties to even.
    convenience init(_ x: Tensor) {
        self.init(uninitialized: x.shape)
        Kernels.read(x) { ck_map_round(Int64(shape[0]), Int64(shape.count / shape[0]), $0, halves, most) }
    }

    var halves: UnsafeMutablePointer<UInt16>? {
        UnsafeMutableRawPointer(elements.elements.baseAddress)?.assumingMemoryBound(to: UInt16.self)
    }
    var most: UnsafeMutablePointer<UInt32>? { NarrowWeights.words(largest.elements.baseAddress) }

    /// Its numbers.
    var tensor: Tensor {
        Kernels.make(shape) { y in withExtendedLifetime(self) { ck_map_widen(Int64(shape.count), halves, y) } }
    }

    /// From 0 to 255 times a scale for each image; what is negative becomes 0.
    func codes(padding: Int) -> Codes {
        codes.withLock { known in
            if let found = known[padding] { return found }
            let words = (shape[1] + 2 * padding) * (shape[2] + 2 * padding) * NarrowWeights.words(shape[3], ck_int8)
            let made = Codes(words: Storage(count: shape[0] * words), scales: Storage(count: shape[0]))
            var map = ck_map(
                batch: Int64(shape[0]), height: Int64(shape[1]), width: Int64(shape[2]), channels: Int64(shape[3]),
                halves: halves, most: most)
            ck_map_encode(
                &map, Int64(padding), NarrowWeights.words(made.words.elements.baseAddress),
                made.scales.elements.baseAddress)
            known[padding] = made
            return made
        }
    }
}

/// What one convolution of a network gives to the next.
public enum FeatureMap: Sendable {
    case floats(Tensor)
    case halves(HalfMap)

    /// [B, H, W, C].
    public var shape: Shape {
        switch self {
        case .floats(let tensor): tensor.shape
        case .halves(let map): map.shape
        }
    }

    /// As float32s.
    public var tensor: Tensor {
        switch self {
        case .floats(let tensor): tensor
        case .halves(let map): map.tensor
        }
    }

    /// As bfloat16s.
    var halves: HalfMap {
        switch self {
        case .floats(let tensor): HalfMap(tensor)
        case .halves(let map): map
        }
    }
}
