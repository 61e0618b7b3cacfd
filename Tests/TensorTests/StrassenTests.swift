import Tensor
import Testing

@Suite("Large products, by Strassen's algorithm")
struct StrassenTests {
    private let weight = sample([568, 256], seed: 2)
    private let bias = sample([568], seed: 3)

    @Test(
        "they agree with the definition: odd rows, outputs beside the pairs, more rows than are done at once",
        arguments: [(1, 48), (3, 101), (9, 98)], [Activation.identity, .relu, .gelu, .quickGELU])
    func agreement(sizes: (images: Int, rows: Int), activation: Activation) {
        let x = sample([sizes.images, sizes.rows, 256], seed: 1)
        let packed = PackedWeights(weight, bias: bias)
        let plain = x.linear(weight: weight, bias: bias)
        expectClose(packed.multiply(x, activation: activation), plain.activated(activation).scalars, 1e-4)
        let residual = sample([sizes.images, sizes.rows, 568], seed: 4)
        expectClose(packed.multiply(x, residual: residual), (plain + residual).scalars, 1e-4)
    }

    @Test("elements a thousand times larger than the others cost digits in proportion to themselves only")
    func outliers() {
        let scale = Tensor((0..<256).map { $0 % 64 == 5 ? 1000 : 1 }, shape: [256])
        let x = sample([2, 64, 256], seed: 1) * scale.repeated(128, axis: 0).reshaped([2, 64, 256])
        let found = PackedWeights(weight, bias: nil).multiply(x)
        // Of results of about 1500: what seven products share is rounded as the largest of them.
        expectClose(found, x.linear(weight: weight, bias: nil).scalars, 1e-2)
    }

    @Test("an image's product has the same bits alone and among others")
    func imagesAreIndependent() {
        let x = sample([8, 101, 256], seed: 1)
        let packed = PackedWeights(weight, bias: bias)
        let together = packed.multiply(x, activation: .gelu)
        for image in [0, 3, 7] {
            let alone = packed.multiply(x.sliced(axis: 0, image..<(image + 1)), activation: .gelu)
            #expect(alone.scalars == together.sliced(axis: 0, image..<(image + 1)).scalars)
        }
    }

    @Test("a 1×1 convolution of many channels agrees with the convolution of training")
    func convolution() {
        let images = sample([2, 12, 9, 256], seed: 5)
        let weight = weight.reshaped([568, 256, 1, 1])
        let packed = PackedConvolution(weight, bias: nil, stride: 1, padding: 0, height: 12, width: 9)
        expectClose(
            packed.convolve(images), images.convolved(weight: weight, stride: 1, padding: 0).scalars, 1e-4)
    }
}
