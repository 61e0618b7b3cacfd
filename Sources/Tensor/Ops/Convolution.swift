import COneDNN

extension Tensor {
    /// Convolves images [B, H, W, C] with a weight [O, C, k, k], as PyTorch's `conv2d`: [B, H', W', O] with
    /// H' = (H + 2·padding - k) / stride + 1. O(B·H'·W'·O·C·k²).
    public func convolved(weight: Tensor, stride: Int = 1, padding: Int = 0) -> Tensor {
        let sizes = ConvolutionSizes(shape, weight: weight.shape, stride: stride, padding: padding)
        let result = Kernels.convolve(self, packed: Kernels.packedConvolution(weight, sizes, cdnn_forward), sizes)
        let (input, kernel, isTracked) = (detached, weight.detached, (isTracked, weight.isTracked))
        return result.recorded(from: [self, weight]) { gradient in
            [
                isTracked.0 ? Kernels.convolutionDataGradient(gradient, weight: kernel, sizes) : nil,
                isTracked.1 ? Kernels.convolutionWeightGradient(gradient, input, sizes) : nil,
            ]
        }
    }

    /// The largest of each k×k window of images [B, H, W, C]; what is outside the image does not count.
    public func maxPooled(kernel: Int, stride: Int, padding: Int = 0) -> Tensor {
        precondition(shape.rank == 4 && 2 * padding <= kernel, "pooling of \(shape) by \(kernel), padded \(padding)")
        let sizes = ConvolutionSizes(shape, outputs: shape[3], kernel: kernel, stride: stride, padding: padding)
        let (result, places) = Kernels.maxPool(self, sizes, keepingPlaces: isTracked)
        guard let places else { return result }
        return result.recorded(from: [self]) { [Kernels.maxPoolBackward($0, places: places, sizes)] }
    }

    /// The mean over each image's pixels: [B, H, W, C] → [B, C].
    public func globallyAveraged() -> Tensor { reshaped([shape[0], shape[1] * shape[2], shape[3]]).mean(axis: 1) }

    /// The mean over `parts` horizontal stripes of each image, as PyTorch's adaptive pooling cuts them (they overlap where
    /// H is no multiple of `parts`): [B, H, W, C] → [B, parts, C].
    public func stripesAveraged(_ parts: Int) -> Tensor {
        let height = shape[1]
        let stripes = (0..<parts).map { part in
            sliced(axis: 1, (part * height / parts)..<(((part + 1) * height + parts - 1) / parts)).globallyAveraged()
        }
        return Tensor.concatenated(stripes.map { $0.reshaped([shape[0], 1, shape[3]]) }, axis: 1)
    }
}
