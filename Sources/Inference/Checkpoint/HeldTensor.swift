import Tensor

/// A weight as `Weights` holds it: a narrow one of a file in the bits that the file has of it, so that loading a model takes
/// little more memory than its file. The numbers that it stands for are made when somebody asks.
enum HeldTensor: Sendable {
    case whole(Tensor)
    case coded(CodedTensor)
    /// bfloat16s.
    case halves([UInt16], Shape)

    var shape: Shape {
        switch self {
        case .whole(let tensor): tensor.shape
        case .coded(let coded): coded.shape
        case .halves(_, let shape): shape
        }
    }

    /// Its numbers. Of a narrow one a new tensor each time.
    var tensor: Tensor {
        switch self {
        case .whole(let tensor): tensor
        case .coded(let coded): coded.tensor
        case .halves(let bits, let shape):
            Tensor(weightsOf: shape) { scalars in
                bits.withUnsafeBufferPointer { bits in
                    for index in scalars.indices { scalars[index] = Float(bitPattern: UInt32(bits[index]) << 16) }
                }
            }
        }
    }

    /// How a layer holds it, if that does not lie beside it.
    var format: WeightFormat? {
        switch self {
        case .whole: nil
        case .coded(let coded): .int8(scales: coded.scales)
        case .halves: .bfloat16
        }
    }

    /// Its codes, of numbers that are such times the scales.
    func codes(scales: [Float]) -> [Int8] {
        if case .coded(let coded) = self { coded.codes } else { CodedTensor(tensor, scales: scales).codes }
    }

    /// Its upper halves, of numbers that bfloat16 holds.
    var halves: [UInt16] {
        if case .halves(let bits, _) = self { return bits }
        return tensor.withUnsafeScalars { $0.map { UInt16($0.bitPattern >> 16) } }
    }
}
