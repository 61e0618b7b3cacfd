import Tensor

/// A tensor of mostly zeros: one bit an element that says whether it is kept, and the kept values in order.
///
/// Bits are row-major, the first in the lowest bit of the first byte; those past the last element are 0.
struct PackedTensor: Sendable, Equatable {
    /// The suffixes of the two entries that hold a packed tensor in a file.
    static let maskSuffix = ".mask"
    static let valuesSuffix = ".values"

    let mask: [UInt8]
    let values: [Float]

    /// A packed tensor as read from a file.
    init(mask: [UInt8], values: [Float]) {
        self.mask = mask
        self.values = values
    }

    /// Packs a tensor. A negative zero counts as a value, so that unpacking gives back the very bits.
    init(packing tensor: Tensor) {
        (mask, values) = tensor.withUnsafeScalars { scalars in
            var mask = [UInt8](repeating: 0, count: (scalars.count + 7) / 8)
            for (index, value) in scalars.enumerated() where value.bitPattern != 0 {
                mask[index >> 3] |= 1 << UInt8(index & 7)
            }
            return (mask, scalars.filter { $0.bitPattern != 0 })
        }
    }

    /// The whole tensor, under the name that errors give it.
    ///
    /// Throws `CheckpointError.Reason.mask` if mask, values and shape do not belong together. The tensor is at most 32
    /// times as large as its mask, so a small file cannot ask for an absurd allocation.
    func unpacked(_ name: String, shape: Shape) throws -> Tensor {
        let count = shape.count
        // A shape from a file may count up to Int.max elements: round up without adding first.
        let length = count / 8 + (count % 8 == 0 ? 0 : 1)
        guard mask.count == length else {
            throw CheckpointError.Reason.mask(
                tensor: name, expected: "\(length) bytes of mask for shape \(shape)", found: "\(mask.count)")
        }
        let kept = mask.reduce(0) { $0 + $1.nonzeroBitCount }
        guard kept == values.count else {
            throw CheckpointError.Reason.mask(
                tensor: name, expected: "\(kept) values, the bits of its mask", found: "\(values.count)")
        }
        if count % 8 != 0, let last = mask.last, last >> UInt8(count % 8) != 0 {
            throw CheckpointError.Reason.mask(
                tensor: name, expected: "no bit beyond element \(count - 1)", found: "one")
        }
        return Tensor(shape: shape) { scalars in
            var next = 0
            for index in 0..<count {
                let isKept = mask[index >> 3] >> UInt8(index & 7) & 1 == 1
                scalars[index] = isKept ? values[next] : 0
                next += isKept ? 1 : 0
            }
        }
    }
}
