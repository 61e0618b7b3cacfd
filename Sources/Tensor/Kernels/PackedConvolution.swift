import CKernels

/// A convolution's weights in the layout of the kernels, made once when a model is built.
///
/// 3×3 convolutions of stride 1 are done by Winograd's F(2×2, 3×3), which needs 16 multiplications where the definition
/// needs 36; all others as products over the windows where they lie. Which it is depends on the layer alone, so that an
/// image's result has the same bits in every batch.
///
/// In narrow formats they are products over windows, but in bfloat16 those that Winograd's algorithm does: there the
/// transformed images and weights are rounded. In int8 what comes and goes are bfloat16s, see `HalfMap`.
public struct PackedConvolution: Sendable {
    private enum Form: Sendable {
        /// In float32 or bfloat16.
        case winograd(Storage, isHalf: Bool)
        /// Windows in images as they are, or in ones that were given an edge before.
        case windows(Storage, isPadded: Bool)
        /// In bfloat16.
        case halves(NarrowWeights)
        /// In int8: from map to map.
        case codes(NarrowWeights)
    }

    private let form: Form
    private let sizes: ConvolutionSizes

    /// Packs a weight [outputs, channels, k, k] and a bias [outputs] for images of one size. Copies them; O(weight).
    /// Weights of int8 are rounded to their codes; images are then taken for such without negative elements.
    public init(
        _ weight: Tensor, bias: Tensor?, stride: Int, padding: Int, height: Int, width: Int,
        format: WeightFormat = .float32
    ) {
        sizes = ConvolutionSizes(
            [1, height, width, weight.shape[1]], weight: weight.shape, stride: stride, padding: padding)
        form =
            sizes.isWinograd && format.precision != .int8
            ? Self.winograd(weight, bias: bias, sizes, isHalf: format == .bfloat16)
            : Self.narrow(weight, bias: bias, sizes, format) ?? Self.windows(weight, bias: bias, sizes)
    }

    private static func winograd(_ weight: Tensor, bias: Tensor?, _ sizes: ConvolutionSizes, isHalf: Bool) -> Form {
        var winograd = sizes.winograd(isHalf: isHalf)
        return .winograd(
            Kernels.packed(count: Int(ck_winograd_packed_count(&winograd)), weight, bias: bias) {
                ck_winograd_pack(&winograd, $0, $1, $2)
            }, isHalf: isHalf)
    }

    private static func windows(_ weight: Tensor, bias: Tensor?, _ sizes: ConvolutionSizes) -> Form {
        // Few channels make short taps: with the edge made before, the taps of a row are one.
        let isPadded = sizes.padding == 0 || sizes.channels < 16
        return .windows(
            Kernels.packed(
                weight.transposed([0, 2, 3, 1]), sizes.weightSteps, bias: bias, sizes.windows(isPadded: isPadded),
                outputs: sizes.outputs), isPadded: isPadded)
    }

    private static func narrow(
        _ weight: Tensor, bias: Tensor?, _ sizes: ConvolutionSizes, _ format: WeightFormat
    ) -> Form? {
        guard let precision = format.kernel else { return nil }
        let isInt8 = precision == ck_int8
        let windows = isInt8 ? sizes.codeWindows : sizes.inWords(precision).windows(isPadded: false)
        let elements = windows.tap_columns == 1 ? sizes.kernel * sizes.channels : sizes.channels
        return NarrowWeights(
            weight.transposed([0, 2, 3, 1]), sizes.weightSteps, format, bias: bias, windows, outputs: sizes.outputs,
            elements: elements
        ).map { isInt8 ? .codes($0) : .halves($0) }
    }

    /// relu(x ∗ weight + bias + residual), without the ReLU or the residual if they are not asked for. Never recorded:
    /// packed weights only infer.
    public func convolve(_ x: Tensor, residual: Tensor? = nil, relu: Bool = false) -> Tensor {
        var sizes = sizes
        sizes.batch = x.shape[0]
        precondition(x.shape == sizes.input, "images \(x.shape), packed for \(sizes.input)")
        precondition(residual.map { $0.shape == sizes.output } ?? true, "a residual of another shape")
        switch form {
        case .winograd(let packed, let isHalf):
            return winograd(x, packed, sizes.winograd(isHalf: isHalf), residual: residual, relu: relu)
        case .windows(let packed, let isPadded):
            let images = isPadded && sizes.padding > 0 ? Kernels.padded(x, by: sizes.padding) : x
            return Kernels.product(
                sizes.windows(isPadded: isPadded), images, packed, outputs: sizes.outputs, residual: residual,
                activation: relu ? .relu : .identity, into: sizes.output)
        case .halves(let weights):
            return weights.product(
                sizes.inWords(weights.precision).windows(isPadded: false), x, width: sizes.channels,
                residual: residual, activation: relu ? .relu : .identity, into: sizes.output)
        case .codes(let weights):
            return Kernels.make(sizes.output) { y in
                _ = codes(
                    weights, sizes, HalfMap(x), residual: residual.map(HalfMap.init), relu: relu, floats: y)
            }
        }
    }

    /// The same from map to map: bfloat16s between convolutions in int8, float32s elsewhere.
    public func convolve(_ x: FeatureMap, residual: FeatureMap? = nil, relu: Bool = false) -> FeatureMap {
        guard case .codes(let weights) = form else {
            return .floats(convolve(x.tensor, residual: residual?.tensor, relu: relu))
        }
        var sizes = sizes
        sizes.batch = x.shape[0]
        precondition(x.shape == sizes.input, "images \(x.shape), packed for \(sizes.input)")
        precondition(residual.map { $0.shape == sizes.output } ?? true, "a residual of another shape")
        return .halves(codes(weights, sizes, x.halves, residual: residual?.halves, relu: relu, floats: nil))
    }

    /// - Parameter floats: where the results go in place of the map.
    private func codes(
        _ weights: NarrowWeights, _ sizes: ConvolutionSizes, _ x: HalfMap, residual: HalfMap?, relu: Bool,
        floats: UnsafeMutablePointer<Float>?
    ) -> HalfMap {
        let results = HalfMap(uninitialized: sizes.output)
        withExtendedLifetime((results, residual)) {
            weights.product(
                sizes.codeWindows, x.codes(padding: sizes.padding),
                ck_map_results(
                    residual: residual.flatMap { UnsafePointer($0.halves) },
                    activation: relu ? ck_relu : ck_identity, halves: floats == nil ? results.halves : nil,
                    floats: floats, most: results.most))
        }
        return results
    }

    private func winograd(
        _ x: Tensor, _ packed: Storage, _ winograd: ck_winograd, residual: Tensor?, relu: Bool
    ) -> Tensor {
        var winograd = winograd
        let scratch = Storage(count: Int(ck_winograd_scratch(&winograd)))
        return Kernels.read(x) { x_ in
            Kernels.make([x.shape[0], x.shape[1], x.shape[2], sizes.outputs]) { y in
                withExtendedLifetime((residual, packed, scratch)) {
                    ck_winograd_run(
                        &winograd, x_, packed.elements.baseAddress, residual?.storage.elements.baseAddress,
                        relu ? ck_relu : ck_identity, scratch.elements.baseAddress, y)
                }
            }
        }
    }

    /// The height and width of the results.
    public var outputSize: (height: Int, width: Int) { (sizes.output[1], sizes.output[2]) }
}

extension ConvolutionSizes {
    /// Whether Winograd's algorithm does it, but in int8.
    fileprivate var isWinograd: Bool {
        kernel == 3 && stride == 1 && padding == 1 && channels % 16 == 0 && outputs % 16 == 0 && channels <= 4096
    }

    fileprivate func winograd(isHalf: Bool) -> ck_winograd {
        ck_winograd(
            batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(channels),
            outputs: Int64(outputs), is_bfloat16: isHalf)
    }

    /// Of weights [outputs, k, k, channels]: as the images lie.
    fileprivate var weightSteps: ck_weight_steps {
        let channels = Int64(channels), kernel = Int64(kernel)
        return ck_weight_steps(
            output: kernel * kernel * channels, tap_row: kernel * channels, tap_column: channels, element: 1)
    }

    /// The same with words for channels.
    fileprivate func inWords(_ precision: ck_precision) -> ConvolutionSizes {
        var words = ConvolutionSizes(
            [batch, height, width, NarrowWeights.words(channels, precision)], outputs: outputs, kernel: kernel,
            stride: stride, padding: padding)
        words.batch = batch
        return words
    }

    /// Over codes with their edge, in words. Where channels fill whole words the taps of a row are one.
    fileprivate var codeWindows: ck_windows {
        let words = inWords(ck_int8)
        var windows = words.windows(isPadded: true)
        if channels % 4 != 0 {
            (windows.tap_columns, windows.run) = (Int64(kernel), Int64(words.channels))
            windows.tap_column_step = Int64(words.channels)
        }
        return windows
    }

    /// - Parameter isPadded: whether the images have an edge already, or need none.
    fileprivate func windows(isPadded: Bool) -> ck_windows {
        var windows = ck_windows()
        let rowElements = (width + (isPadded ? 2 * padding : 0)) * channels
        windows.batch = Int64(batch)
        (windows.rows, windows.columns) = (Int64(output[1]), Int64(output[2]))
        windows.image_step = Int64((height + (isPadded ? 2 * padding : 0)) * rowElements)
        (windows.row_step, windows.column_step) = (Int64(stride * rowElements), Int64(stride * channels))
        (windows.tap_rows, windows.tap_row_step) = (Int64(kernel), Int64(rowElements))
        (windows.tap_columns, windows.run) = isPadded ? (1, Int64(kernel * channels)) : (Int64(kernel), Int64(channels))
        if !isPadded {
            windows.tap_column_step = Int64(channels)
            (windows.padding, windows.stride) = (Int64(padding), Int64(stride))
            (windows.height, windows.width) = (Int64(height), Int64(width))
        }
        return windows
    }
}
