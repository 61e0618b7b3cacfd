import Inference
import Tensor

/// The interchangeable units of one kind in one block: without one, everything that reads or writes it gets smaller, and
/// nothing else changes.
package struct UnitLayer: Sendable, Equatable {
    package enum Kind: String, CaseIterable, Sendable {
        /// Attention heads.
        case heads
        /// Hidden neurons of an MLP.
        case neurons
        /// Channels between two convolutions of a residual block.
        case channels
    }

    /// Where units lie in a tensor: one of its axes is [parts, units, width].
    package struct Slice: Sendable, Equatable {
        package let path: String
        package let axis: Int
        package let parts: Int
        package let width: Int

        package init(path: String, axis: Int, parts: Int = 1, width: Int = 1) {
            (self.path, self.axis, self.parts, self.width) = (path, axis, parts, width)
        }
    }

    package let kind: Kind
    /// The block, from 0.
    package let block: Int
    /// Which of the layers of this kind in the block, from 0.
    package let index: Int
    /// Units.
    package let count: Int
    /// What the units consist of, in each of the networks that have this block.
    package let networks: [[Slice]]

    package init(kind: Kind, block: Int, index: Int, count: Int, networks: [[Slice]]) {
        (self.kind, self.block, self.index) = (kind, block, index)
        (self.count, self.networks) = (count, networks)
    }

    /// All layers of a model's backbone, block by block.
    package static func layers(of configuration: ModelConfiguration) -> [UnitLayer] {
        configuration.blockPaths.enumerated().flatMap { block, paths in
            switch configuration.backbone {
            case .vit(let vit): [heads(vit, block, paths), neurons(vit, block, paths)]
            case .resnet(let resnet): channels(resnet, block, paths)
            }
        }
    }

    private static func heads(_ vit: ModelConfiguration.Backbone.ViT, _ block: Int, _ paths: [String]) -> UnitLayer {
        let width = vit.headWidth
        return UnitLayer(
            kind: .heads, block: block, index: 0, count: vit.heads(ofBlock: block),
            networks: paths.map { path in
                [
                    Slice(path: "\(path).attn.qkv.weight", axis: 0, parts: 3, width: width),
                    Slice(path: "\(path).attn.qkv.bias", axis: 0, parts: 3, width: width),
                    Slice(path: "\(path).attn.proj.weight", axis: 1, width: width),
                ]
            })
    }

    private static func neurons(_ vit: ModelConfiguration.Backbone.ViT, _ block: Int, _ paths: [String]) -> UnitLayer {
        UnitLayer(
            kind: .neurons, block: block, index: 0, count: vit.hidden(ofBlock: block),
            networks: paths.map { path in
                [
                    Slice(path: "\(path).mlp.fc1.weight", axis: 0), Slice(path: "\(path).mlp.fc1.bias", axis: 0),
                    Slice(path: "\(path).mlp.fc2.weight", axis: 1),
                ]
            })
    }

    private static func channels(
        _ resnet: ModelConfiguration.Backbone.ResNet, _ block: Int, _ paths: [String]
    ) -> [UnitLayer] {
        resnet.innerWidths(ofBlock: block).enumerated().map { index, count in
            UnitLayer(
                kind: .channels, block: block, index: index, count: count,
                networks: paths.map { path in
                    let norm = ["weight", "bias", "running_mean", "running_var"]
                    return [Slice(path: "\(path).conv\(index + 1).weight", axis: 0)]
                        + norm.map { Slice(path: "\(path).bn\(index + 1).\($0)", axis: 0) }
                        + [Slice(path: "\(path).conv\(index + 2).weight", axis: 1)]
                })
        }
    }
}

extension UnitLayer.Slice {
    /// The sum of the elements that belong to each unit.
    func sums(_ tensor: Tensor, units: Int) -> [Float] {
        var sums = [Float](repeating: 0, count: units)
        let run = run(in: tensor.shape)
        tensor.withUnsafeScalars { scalars in
            for start in stride(from: 0, to: scalars.count, by: run) {
                sums[start / run % units] += scalars[start..<(start + run)].reduce(0, +)
            }
        }
        return sums
    }

    /// The tensor without the other units.
    func keeping(_ kept: [Int], of units: Int, in tensor: Tensor) -> Tensor {
        let run = run(in: tensor.shape)
        var dimensions = tensor.shape.dimensions
        dimensions[axis] = parts * kept.count * width
        return tensor.withUnsafeScalars { scalars in
            Tensor(shape: Shape(dimensions)) { result in
                var next = 0
                for whole in stride(from: 0, to: scalars.count, by: run * units) {
                    for unit in kept {
                        for offset in 0..<run { result[next + offset] = scalars[whole + unit * run + offset] }
                        next += run
                    }
                }
            }
        }
    }

    /// Consecutive elements of one unit: what lies between two steps of the unit's index.
    private func run(in shape: Shape) -> Int { width * shape.dimensions[(axis + 1)...].reduce(1, *) }
}
