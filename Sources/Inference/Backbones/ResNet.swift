import Tensor

/// ResNet (He et al., 2016) with torchvision's names, and the stride of a bottleneck on its 3×3 convolution (v1.5). The
/// last stage may be left to someone else: MixER has two of them.
struct ResNet: Sendable {
    private let stem: ConvolutionBlock
    private let stages: [ResNetStage]
    /// The size of the last map.
    let output: ConvolutionBlock.Size

    /// - Parameter stages: how many of the four.
    init(
        _ scope: ParameterScope, _ configuration: ModelConfiguration.Backbone.ResNet, height: Int, width: Int,
        stages count: Int = 4
    ) throws {
        stem = try ConvolutionBlock(
            convolution: scope.scope("conv1"), norm: scope.scope("bn1"),
            .init(inputs: 3, outputs: 64, size: 7, stride: 2),
            input: .init(height: height, width: width), followsReLU: false)
        var size = ConvolutionBlock.Size(
            height: (stem.output.height - 1) / 2 + 1, width: (stem.output.width - 1) / 2 + 1)
        var stages: [ResNetStage] = []
        for number in 0..<count {
            let stage = try ResNetStage(scope.scope("layer\(number + 1)"), configuration, number: number, input: size)
            size = stage.output
            stages.append(stage)
        }
        self.stages = stages
        output = size
    }

    /// Images [B, H, W, 3] → the last map [B, H', W', C].
    func callAsFunction(_ images: Tensor) -> Tensor { images.encoded(narrowly: isNarrow) { map($0).tensor } }

    /// Whether any of its stages is.
    var isNarrow: Bool { stages.contains(where: \.isNarrow) }

    /// The same as the last convolution leaves it.
    func map(_ images: Tensor) -> FeatureMap {
        let first = stem(.floats(images)).tensor.maxPooled(kernel: 3, stride: 2, padding: 1)
        return stages.reduce(.floats(first)) { $1($0) }
    }
}

/// One of the four stages: blocks of the same width, the first of which may halve the map.
struct ResNetStage: Sendable {
    private let blocks: [ResidualBlock]
    private let probe: ModelProbe.Place?
    /// The size of its map.
    var output: ConvolutionBlock.Size { blocks[blocks.count - 1].output }
    /// Whether any of its convolutions multiplies in fewer than 32 bits.
    var isNarrow: Bool { blocks.contains(where: \.isNarrow) }

    /// - Parameter number: from 0.
    init(
        _ scope: ParameterScope, _ configuration: ModelConfiguration.Backbone.ResNet, number: Int,
        input: ConvolutionBlock.Size
    ) throws {
        let outputs = (64 << number) * configuration.expansion
        var inputs = number == 0 ? 64 : outputs / 2
        var size = input
        var blocks: [ResidualBlock] = []
        let first = configuration.stageBlocks[..<number].reduce(0, +)
        for index in 0..<configuration.stageBlocks[number] {
            let stride = index > 0 || number == 0 ? 1 : number == 3 ? configuration.lastStride : 2
            let inner = configuration.innerWidths(ofBlock: first + index)
            let block = try ResidualBlock(
                scope.scope("\(index)"), widths: [inputs] + inner + [outputs], stride: stride, input: size)
            (inputs, size) = (outputs, block.output)
            blocks.append(block)
        }
        self.blocks = blocks
        probe = scope.probe
    }

    func callAsFunction(_ x: FeatureMap) -> FeatureMap {
        let map = blocks.reduce(x) { $1($0) }
        return probe.map { .floats($0.map(map.tensor)) } ?? map
    }
}

/// Two 3×3 convolutions, or a bottleneck of 1×1, 3×3 and 1×1, around which the input is added.
struct ResidualBlock: Sendable {
    private let layers: [ConvolutionBlock]
    private let downsample: ConvolutionBlock?
    var output: ConvolutionBlock.Size { layers[layers.count - 1].output }
    var isNarrow: Bool { layers.contains(where: \.isNarrow) }

    /// - Parameter widths: channels before, between and after the convolutions: three numbers, or four for a bottleneck.
    init(_ scope: ParameterScope, widths: [Int], stride: Int, input: ConvolutionBlock.Size) throws {
        let (inputs, outputs) = (widths[0], widths[widths.count - 1])
        let kernels: [ConvolutionBlock.Kernel] =
            widths.count == 3
            ? [
                .init(inputs: inputs, outputs: widths[1], size: 3, stride: stride),
                .init(inputs: widths[1], outputs: outputs, size: 3),
            ]
            : [
                .init(inputs: inputs, outputs: widths[1]),
                .init(inputs: widths[1], outputs: widths[2], size: 3, stride: stride),
                .init(inputs: widths[2], outputs: outputs),
            ]
        var size = input
        var layers: [ConvolutionBlock] = []
        for (index, kernel) in kernels.enumerated() {
            let layer = try ConvolutionBlock(
                convolution: scope.scope("conv\(index + 1)"), norm: scope.scope("bn\(index + 1)"), kernel, input: size)
            size = layer.output
            layers.append(layer)
        }
        self.layers = layers
        downsample =
            stride == 1 && inputs == outputs
            ? nil
            : try ConvolutionBlock(
                convolution: scope.scope("downsample.0"), norm: scope.scope("downsample.1"),
                .init(inputs: inputs, outputs: outputs, stride: stride), input: input)
    }

    func callAsFunction(_ x: FeatureMap) -> FeatureMap {
        let identity = downsample?(x, relu: false) ?? x
        let inner = layers.dropLast().reduce(x) { $1($0) }
        return layers[layers.count - 1](inner, residual: identity)
    }
}
