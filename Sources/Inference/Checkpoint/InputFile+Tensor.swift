import Tensor

#if _endian(big)
    #error("safetensors files are little-endian and are read as they are")
#endif

extension InputFile {
    /// Reads the next bytes as the tensor that `entry` describes.
    ///
    /// Throws `CheckpointError.Reason`.
    mutating func tensor(_ entry: SafetensorsHeader.Entry) throws -> Tensor {
        try Tensor(weightsOf: Shape(entry.dimensions)) { scalars in
            try floats(entry, into: scalars)
        }
    }

    /// Reads the next bytes as the numbers that `entry` describes, of which there may be none.
    mutating func floats(_ entry: SafetensorsHeader.Entry) throws -> [Float] {
        try [Float](unsafeUninitializedCapacity: entry.count) { buffer, initialized in
            try floats(entry, into: UnsafeMutableBufferPointer(rebasing: buffer[..<entry.count]))
            initialized = entry.count
        }
    }

    /// The next integers, as they lie there.
    mutating func integers<Integer: FixedWidthInteger>(_ count: Int) throws -> [Integer] {
        try [Integer](unsafeUninitializedCapacity: count) { buffer, initialized in
            try read(into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
            initialized = count
        }
    }

    /// Reads the next bytes as the bfloat16s that `entry` describes.
    mutating func halves(_ entry: SafetensorsHeader.Entry) throws -> [UInt16] {
        let bits: [UInt16] = try integers(entry.count)
        if let index = bits.firstNonFiniteHalf {
            throw CheckpointError.Reason.notFinite(tensor: entry.name, index: index)
        }
        return bits
    }

    private mutating func floats(
        _ entry: SafetensorsHeader.Entry, into scalars: UnsafeMutableBufferPointer<Float>
    ) throws {
        switch entry.elementType {
        case .float32: try read(into: UnsafeMutableRawBufferPointer(scalars))
        case .float16: try convert(into: scalars) { (bits: UInt16) in Float(Float16(bitPattern: bits)) }
        case .bfloat16: try convert(into: scalars) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        case .float64: try convert(into: scalars) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
        case .int64, .int8, .uint8: try entry.checkIsTensor()
        }
        if let index = UnsafeBufferPointer(scalars).firstNonFiniteIndex {
            throw CheckpointError.Reason.notFinite(tensor: entry.name, index: index)
        }
    }

    private mutating func convert<Bits: FixedWidthInteger>(
        into scalars: UnsafeMutableBufferPointer<Float>, _ convert: (Bits) -> Float
    ) throws {
        try withUnsafeTemporaryAllocation(of: Bits.self, capacity: 1 << 14) { scratch in
            var start = 0
            while start < scalars.count {
                let part = UnsafeMutableBufferPointer(rebasing: scratch.prefix(scalars.count - start))
                try read(into: UnsafeMutableRawBufferPointer(part))
                for (offset, bits) in part.enumerated() { scalars[start + offset] = convert(bits) }
                start += part.count
            }
        }
    }
}

extension UnsafeBufferPointer<Float> {
    /// Where the first infinity or NaN is, if any.
    var firstNonFiniteIndex: Int? {
        // The largest magnitude, as bits, tells whether to search: a loop without a branch, which vectorises.
        let magnitudes = reduce(UInt32(0)) { Swift.max($0, $1.bitPattern & 0x7FFF_FFFF) }
        return magnitudes < 0x7F80_0000 ? nil : firstIndex { !$0.isFinite }
    }
}

extension [UInt16] {
    /// Where the first infinity or NaN among bfloat16s is, if any.
    var firstNonFiniteHalf: Int? {
        let magnitudes = reduce(UInt16(0)) { Swift.max($0, $1 & 0x7FFF) }
        return magnitudes < 0x7F80 ? nil : firstIndex { $0 & 0x7FFF >= 0x7F80 }
    }
}
