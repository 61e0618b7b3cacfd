import Tensor
import Testing

@Suite("Products of codes and of bfloat16s")
struct NarrowProductTests {
    /// Whole numbers from `range`, both ends among those of each row: its codes are they themselves, shifted.
    private func whole(_ shape: Shape, _ range: ClosedRange<Float>, seed: Int) -> Tensor {
        let width = shape[-1]
        let span = range.upperBound - range.lowerBound
        let values = sample(shape, seed: seed).scalars.enumerated().map { index, value -> Float in
            switch index % width {
            case 0: range.lowerBound
            case 1: range.upperBound
            default: (range.lowerBound + (value + 1) / 2 * span).rounded()
            }
        }
        return Tensor(values, shape: shape)
    }

    private func ones(_ count: Int) -> WeightFormat { .int8(scales: [Float](repeating: 1, count: count)) }

    @Test(
        "sums of codes are exact, whatever the sizes: results of whole numbers are the whole numbers",
        arguments: [(1, 2, 1), (5, 7, 3), (13, 63, 17), (50, 130, 65), (700, 33, 200)],
        [(-255, 0), (-100, 155), (0, 255)] as [(Float, Float)])
    func exactCodes(sizes: (rows: Int, inputs: Int, outputs: Int), range: (Float, Float)) {
        let x = whole([sizes.rows, sizes.inputs], range.0...range.1, seed: 1)
        let weight = whole([sizes.outputs, sizes.inputs], -127...127, seed: 2)
        let bias = whole([sizes.outputs + 1], -9...9, seed: 3).sliced(axis: 0, 0..<sizes.outputs)
        let residual = whole([sizes.rows, sizes.outputs + 1], -9...9, seed: 4).sliced(axis: 1, 0..<sizes.outputs)
        let packed = PackedWeights(weight, bias: bias, format: ones(sizes.outputs))
        var expected: [Float] = []
        for row in 0..<sizes.rows {
            for output in 0..<sizes.outputs {
                let products = (0..<sizes.inputs).map {
                    Int(x.scalars[row * sizes.inputs + $0]) * Int(weight.scalars[output * sizes.inputs + $0])
                }
                expected.append(Float(products.reduce(0, +)) + bias.scalars[output])
            }
        }
        #expect(packed.multiply(x).scalars == expected)
        #expect(packed.multiply(x, activation: .relu).scalars == expected.map { max($0, 0) })
        #expect(packed.multiply(x, residual: residual).scalars == zip(expected, residual.scalars).map(+))
    }

    @Test(
        "what is rounded for a product stands for its codes, by row or by image, and its gradient for itself",
        arguments: [(1, 1), (3, 5), (7, 64), (2, 77)])
    func rounding(sizes: (rows: Int, width: Int)) throws {
        let x = whole([2, sizes.rows, 1, sizes.width + 1], -100...155, seed: 5)
        #expect(x.rounded(to: .int8).scalars == x.scalars && x.rounded(to: .float32).scalars == x.scalars)
        #expect(x.rounded(to: .bfloat16).scalars == x.roundedToHalves.scalars)
        let images = x * Tensor(2)
        // Steps of 310 / 255, of what was rounded to whole numbers or, from 256, to every other one.
        for (found, expected) in zip(images.rounded(to: .int8, byImage: true).scalars, images.scalars) {
            #expect(abs(found - max(expected, 0)) <= 155.0 / 255 * 1.0001 + 1)
        }
        let weight = sample(x.shape, seed: 6)
        let loss = (x.tracked(as: "x").rounded(to: .int8) * weight).sum()
        #expect(gradients(of: loss)["x"]?.scalars == weight.scalars)
    }

    @Test("the largest sums of codes stay within 32 bits")
    func largestSums() {
        let depth = 16384
        let x = Tensor((0..<depth).map { $0 == 0 ? 0 : 255 }, shape: [1, depth])
        let packed = PackedWeights(Tensor(repeating: -127, shape: [1, depth]), bias: nil, format: ones(1))
        expectClose(packed.multiply(x), [-Float(255 * 127 * (depth - 1))], 64)
    }

    @Test(
        "sums of bfloat16s are made in one order, each product exact",
        arguments: [(1, 1, 1), (7, 9, 5), (40, 150, 130)])
    func halves(sizes: (rows: Int, inputs: Int, outputs: Int)) {
        let x = sample([sizes.rows, sizes.inputs], seed: 1), weight = sample([sizes.outputs, sizes.inputs], seed: 2)
        let bias = sample([sizes.outputs], seed: 3)
        let (xs, ws) = (x.roundedToHalves.scalars, weight.roundedToHalves.scalars)
        var expected: [Float] = []
        for row in 0..<sizes.rows {
            for output in 0..<sizes.outputs {
                var sum: Float = 0
                // A word's second number first.
                for pair in 0..<((sizes.inputs + 1) / 2) {
                    for element in [2 * pair + 1, 2 * pair] where element < sizes.inputs {
                        sum += xs[row * sizes.inputs + element] * ws[output * sizes.inputs + element]
                    }
                }
                expected.append(sum + bias.scalars[output])
            }
        }
        #expect(PackedWeights(weight, bias: bias, format: .bfloat16).multiply(x).scalars == expected)
    }

    @Test(
        "convolutions of codes are exact: channels that fill no word, edges, strides",
        arguments: [(5, 7, 1, 1), (3, 16, 3, 1), (16, 16, 3, 1), (37, 65, 3, 2), (8, 70, 1, 2)])
    func convolution(sizes: (channels: Int, outputs: Int, kernel: Int, stride: Int)) {
        // Every image from 0 to 255: its scale is 1.
        let images = whole([2, 9, 6, sizes.channels], 0...255, seed: 5)
        let weight = whole([sizes.outputs, sizes.channels, sizes.kernel, sizes.kernel], -9...9, seed: 6)
        let packed = PackedConvolution(
            weight, bias: nil, stride: sizes.stride, padding: sizes.kernel / 2, height: 9, width: 6,
            format: ones(sizes.outputs))
        let expected = images.convolved(weight: weight, stride: sizes.stride, padding: sizes.kernel / 2)
        // Whole numbers below 2²⁴, which float32 sums are exact for.
        #expect(packed.convolve(images).scalars == expected.scalars)
        #expect(packed.convolve(images, relu: true).scalars == expected.relu().scalars)
    }

    @Test(
        "between convolutions of codes are bfloat16s, and the next one's codes are of their largest, image by image",
        arguments: [(8, 16), (16, 70), (5, 7)])
    func maps(channels: Int, outputs: Int) throws {
        let images = whole([2, 9, 6, channels], 0...255, seed: 1)
        let residual = whole([2, 9, 6, outputs], -128...127, seed: 2)
        let weight = whole([outputs, channels, 3, 3], -9...9, seed: 3)
        let last = whole([5, outputs, 1, 1], -127...127, seed: 4)
        let pack = { (weight: Tensor, kernel: Int) in
            PackedConvolution(
                weight, bias: nil, stride: 1, padding: kernel / 2, height: 9, width: 6,
                format: ones(weight.shape[0]))
        }
        let map = pack(weight, 3).convolve(.floats(images), residual: .floats(residual), relu: true)
        // Whole numbers below 2²⁴, rounded once.
        let sums = zip(images.convolved(weight: weight, padding: 1).scalars, residual.scalars)
        let expected = Tensor(sums.map { max($0 + $1, 0) }, shape: map.shape).roundedToHalves
        #expect(map.tensor.scalars == expected.scalars)

        let found = pack(last, 1).convolve(map).tensor
        let count = 9 * 6
        for image in 0..<2 {
            let pixels = expected.sliced(axis: 0, image..<(image + 1)).scalars
            let scale = try #require(pixels.max()) / 255
            for (pixel, output) in [(0, 0), (17, 3), (count - 1, 4)] {
                let sum = (0..<outputs).reduce(0) { sum, channel in
                    let code = (pixels[pixel * outputs + channel] * (1 / scale)).rounded(.toNearestOrEven)
                    return sum + Int(code) * Int(last.scalars[output * outputs + channel])
                }
                let rounded = Tensor([Float(sum) * scale], shape: [1]).roundedToHalves.scalar
                #expect(found.scalars[(image * count + pixel) * 5 + output] == rounded, "\(image) \(pixel)")
            }
        }
    }

    @Test("a map goes to and comes from convolutions that are not of codes as float32s")
    func mixedMaps() {
        let images = sample([2, 9, 6, 16], seed: 1).relu()
        let convolution = { (format: WeightFormat) in
            PackedConvolution(
                sample([16, 16, 3, 3], seed: 2), bias: nil, stride: 1, padding: 1, height: 9, width: 6, format: format)
        }
        let codes = convolution(.int8(scales: [Float](repeating: 0.01, count: 16)))
        let map = codes.convolve(.floats(images), relu: true)
        let plain = convolution(.float32).convolve(map, residual: map, relu: true)
        let expected = convolution(.float32).convolve(map.tensor, residual: map.tensor, relu: true)
        #expect(plain.tensor.scalars == expected.scalars)
        let again = codes.convolve(plain, residual: plain, relu: true).tensor
        #expect(again.scalars == codes.convolve(.floats(expected), residual: plain, relu: true).tensor.scalars)
    }

    @Test(
        "3×3 convolutions by Winograd's algorithm in bfloat16 are exact where nothing rounds",
        arguments: [(5, 7), (24, 12)])
    func winograd(height: Int, width: Int) {
        // Sums of four of these, and quarters of sums of nine of those, are whole and have at most 8 bits.
        let images = sample([2, height, width, 32], seed: 5).scaled(by: 15)
        let whole = Tensor(images.scalars.map { $0.rounded() }, shape: images.shape)
        let weight = sample([80, 32, 3, 3], seed: 6).scaled(by: 3)
        let fours = Tensor(weight.scalars.map { $0.rounded() * 4 }, shape: weight.shape)
        let residual = Tensor(repeating: 3, shape: [2, height, width, 80])
        let packed = PackedConvolution(
            fours, bias: Tensor(repeating: 5, shape: [80]), stride: 1, padding: 1, height: height, width: width,
            format: .bfloat16)
        let expected = whole.convolved(weight: fours, padding: 1).scalars.map { max($0 + 8, 0) }
        #expect(packed.convolve(whole, residual: residual, relu: true).scalars == expected)
        // And so they are in bfloat16 at all: other numbers round.
        let others = sample(whole.shape, seed: 7)
        #expect(packed.convolve(others).scalars != others.convolved(weight: fours, padding: 1).scalars)
    }

    @Test(
        "attention in bfloat16 is that of rounded queries, keys, values and probabilities",
        arguments: [(1, 2, 4), (5, 3, 5), (70, 2, 24), (129, 1, 64)])
    func attention(tokens: Int, heads: Int, width: Int) {
        let (batch, model) = (2, heads * width)
        let qkv = sample([batch, tokens, 3 * model], seed: 5).scaled(by: 3)
        let mask = Tensor((0..<(batch * tokens)).map { $0 % 7 == 3 ? -Float.infinity : 0 }, shape: [batch, tokens])
        let found = Tensor.attention(qkv, heads: heads, mask: mask, isNarrow: true)
        let parts = qkv.roundedToHalves.reshaped([batch, tokens, 3, heads, width]).transposed([2, 0, 3, 1, 4])
        let part = { (i: Int) in parts.sliced(axis: 0, i..<(i + 1)).reshaped([batch, heads, tokens, width]) }
        let scores = part(0).matmul(part(1), transposingSecond: true).scaled(by: 1 / Float(width).squareRoot())
        let rows = mask.scalars.enumerated().map { ($0 / tokens, $1) }
        let added = (0..<batch).flatMap { image in
            (0..<(heads * tokens)).flatMap { _ in rows.filter { $0.0 == image }.map(\.1) }
        }
        let masked = (scores + Tensor(added, shape: scores.shape)).softmax().roundedToHalves
        let expected = masked.matmul(part(2)).transposed([0, 2, 1, 3]).reshaped([batch, tokens, model])
        // A probability that ends on the other side of a half is another by 1/256 of itself.
        expectClose(found, expected.scalars, 4e-3)
        for image in 0..<batch {
            let alone = Tensor.attention(
                qkv.sliced(axis: 0, image..<(image + 1)), heads: heads,
                mask: mask.sliced(axis: 0, image..<(image + 1)), isNarrow: true)
            #expect(alone.scalars == found.sliced(axis: 0, image..<(image + 1)).scalars)
        }
    }

    @Test("narrow products are near those of float32", arguments: [Activation.identity, .relu, .gelu])
    func nearness(activation: Activation) {
        let x = sample([3, 30, 200], seed: 1), weight = sample([90, 200], seed: 2), bias = sample([90], seed: 3)
        let plain = x.linear(weight: weight, bias: bias).activated(activation)
        let scales = (0..<90).map { row in
            weight.scalars[(row * 200)..<((row + 1) * 200)].reduce(0) { max($0, abs($1)) } / 127
        }
        for (format, tolerance) in [(WeightFormat.bfloat16, 0.08), (.int8(scales: scales), 0.25)] {
            let found = PackedWeights(weight, bias: bias, format: format).multiply(x, activation: activation)
            expectClose(found, plain.scalars, Float(tolerance))
        }
    }

    @Test("a row has the same bits alone and among others, an image too", arguments: [false, true])
    func independence(isInt8: Bool) {
        let format: WeightFormat = isInt8 ? .int8(scales: [Float](repeating: 0.01, count: 100)) : .bfloat16
        let x = sample([67, 150], seed: 1)
        let packed = PackedWeights(sample([100, 150], seed: 2), bias: nil, format: format)
        let together = packed.multiply(x)
        for row in [0, 5, 6, 66] {
            let alone = packed.multiply(x.sliced(axis: 0, row..<(row + 1)))
            #expect(alone.scalars == together.sliced(axis: 0, row..<(row + 1)).scalars)
        }
        // Those of 32 channels are Winograd's in bfloat16.
        for (channels, outputs) in [(20, 100), (32, 96)] {
            let images = sample([7, 8, 5, channels], seed: 3).relu()
            let convolution = PackedConvolution(
                sample([outputs, channels, 3, 3], seed: 4), bias: nil, stride: 1, padding: 1, height: 8, width: 5,
                format: isInt8 ? .int8(scales: [Float](repeating: 0.01, count: outputs)) : .bfloat16)
            let maps = convolution.convolve(images)
            for image in [0, 3, 6] {
                let alone = convolution.convolve(images.sliced(axis: 0, image..<(image + 1)))
                #expect(alone.scalars == maps.sliced(axis: 0, image..<(image + 1)).scalars)
            }
        }
    }

    @Test("an infinity or a NaN does not become a number", arguments: [Float.infinity, -.infinity, .nan])
    func notFinite(value: Float) {
        var scalars = sample([3, 40], seed: 1).scalars
        scalars[45] = value
        let weight = sample([20, 40], seed: 2)
        for format in [WeightFormat.bfloat16, .int8(scales: [Float](repeating: 0.01, count: 20))] {
            let found = PackedWeights(weight, bias: nil, format: format).multiply(Tensor(scalars, shape: [3, 40]))
            #expect(found.sliced(axis: 0, 0..<1).isFinite && found.sliced(axis: 0, 2..<3).isFinite)
            #expect(found.sliced(axis: 0, 1..<2).scalars.allSatisfy { !$0.isFinite })
        }
    }

    @Test("rows and outputs of zeros are zeros")
    func zeros() {
        let packed = PackedWeights(.zeros([5, 9]), bias: nil, format: ones(5))
        #expect(packed.multiply(sample([4, 9])).scalars == [Float](repeating: 0, count: 20))
        let others = PackedWeights(whole([5, 9], -127...127, seed: 1), bias: nil, format: ones(5))
        #expect(others.multiply(.zeros([4, 9])).scalars == [Float](repeating: 0, count: 20))
    }
}

extension Tensor {
    /// The nearest bfloat16s, ties to even.
    fileprivate var roundedToHalves: Tensor {
        Tensor(
            scalars.map { Float(bitPattern: ($0.bitPattern + 0x7FFF + ($0.bitPattern >> 16 & 1)) & 0xFFFF_0000) },
            shape: shape)
    }
}
