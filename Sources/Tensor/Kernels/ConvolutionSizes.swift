import COneDNN

/// The sizes of a convolution, or a pooling, of images [batch, height, width, channels] with square kernels.
struct ConvolutionSizes {
    var batch: Int
    let height: Int
    let width: Int
    let channels: Int
    let outputs: Int
    let kernel: Int
    let stride: Int
    let padding: Int

    /// Those of a convolution of `x` by `weight` [outputs, channels, kernel, kernel].
    init(_ x: Shape, weight: Shape, stride: Int, padding: Int) {
        precondition(
            x.rank == 4 && weight.rank == 4 && weight[1] == x[3] && weight[2] == weight[3],
            "a convolution of \(x) by \(weight), expected [B, H, W, C] by [O, C, k, k]")
        self.init(x, outputs: weight[0], kernel: weight[2], stride: stride, padding: padding)
    }

    /// Those of a convolution with that many outputs, or of a pooling with as many as channels.
    init(_ x: Shape, outputs: Int, kernel: Int, stride: Int, padding: Int) {
        (batch, height, width, channels) = (x[0], x[1], x[2], x[3])
        (self.outputs, self.kernel, self.stride, self.padding) = (outputs, kernel, stride, padding)
        precondition(min(height, width) + 2 * padding >= kernel, "a kernel of \(kernel) over \(x)")
    }

    var input: Shape { [batch, height, width, channels] }
    var output: Shape { [batch, extent(height), extent(width), outputs] }

    private func extent(_ size: Int) -> Int { (size + 2 * padding - kernel) / stride + 1 }

    /// As the C interface wants it; unused bytes are zero because they are part of the cache's key.
    func described() -> cdnn_convolution {
        var c = cdnn_convolution()
        c.batch = Int64(batch)
        (c.channels, c.height, c.width) = (Int64(channels), Int64(height), Int64(width))
        (c.outputs, c.kernel, c.stride, c.padding) = (Int64(outputs), Int64(kernel), Int64(stride), Int64(padding))
        return c
    }
}
