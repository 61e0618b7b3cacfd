import COneDNN

extension Kernels {
    /// [outputs, channels, kernel, kernel] in the layout that a pass asks for: opaque, and possibly padded.
    static func packedConvolution(_ weight: Tensor, _ sizes: ConvolutionSizes, _ pass: cdnn_pass) -> Tensor {
        var description = sizes.described()
        let packed = packedShape(sizes, pass)
        return read(weight) { weight_ in
            make(packed) { target in
                check(cdnn_convolution_pack(&description, pass, weight_, target), "packing for \(sizes)")
            }
        }
    }

    private static func packedShape(_ sizes: ConvolutionSizes, _ pass: cdnn_pass) -> Shape {
        var description = sizes.described()
        var bytes = 0
        check(cdnn_convolution_packed_bytes(&description, pass, &bytes), "the packed size for \(sizes)")
        return [(bytes + 3) / 4]
    }

    /// x ∗ packed.
    static func convolve(_ x: Tensor, packed: Tensor, _ sizes: ConvolutionSizes) -> Tensor {
        var description = sizes.described()
        return read(x) { x_ in
            read(packed) { packed_ in
                make(sizes.output) { y in
                    check(cdnn_convolution_run(&description, x_, packed_, y), "convolution \(sizes)")
                }
            }
        }
    }

    /// The gradient with respect to the images.
    static func convolutionDataGradient(_ gradient: Tensor, weight: Tensor, _ sizes: ConvolutionSizes) -> Tensor {
        var description = sizes.described()
        let packed = packedConvolution(weight, sizes, cdnn_data_gradient)
        return read(gradient) { dy in
            read(packed) { packed_ in
                make(sizes.input) { dx in
                    check(cdnn_convolution_backward_data(&description, dy, packed_, dx), "data gradient of \(sizes)")
                }
            }
        }
    }

    /// The gradient with respect to the weights, [outputs, channels, kernel, kernel].
    static func convolutionWeightGradient(_ gradient: Tensor, _ x: Tensor, _ sizes: ConvolutionSizes) -> Tensor {
        var description = sizes.described()
        let packed = read(x) { x_ in
            read(gradient) { dy in
                make(packedShape(sizes, cdnn_weights_gradient)) { target in
                    check(
                        cdnn_convolution_backward_weights(&description, x_, dy, target), "weight gradient of \(sizes)")
                }
            }
        }
        return read(packed) { packed_ in
            make([sizes.outputs, sizes.channels, sizes.kernel, sizes.kernel]) { plain in
                check(cdnn_convolution_unpack(&description, packed_, plain), "unpacking for \(sizes)")
            }
        }
    }

    /// Max pooling, and where the maxima were if `keepingPlaces`: opaque, for the backward pass.
    static func maxPool(_ x: Tensor, _ sizes: ConvolutionSizes, keepingPlaces: Bool) -> (Tensor, places: Tensor?) {
        var description = sizes.described()
        var bytes = 0
        if keepingPlaces { check(cdnn_max_pool_places_bytes(&description, &bytes), "pooling \(sizes)") }
        let places = keepingPlaces ? Storage(count: (bytes + 3) / 4) : nil
        let output = read(x) { x_ in
            make(sizes.output) { y in
                check(cdnn_max_pool(&description, x_, y, places?.elements.baseAddress), "pooling \(sizes)")
            }
        }
        return (output, places.map { Tensor(storage: $0, shape: [$0.elements.count]) })
    }

    static func maxPoolBackward(_ gradient: Tensor, places: Tensor, _ sizes: ConvolutionSizes) -> Tensor {
        var description = sizes.described()
        return read(gradient) { dy in
            read(places) { places_ in
                make(sizes.input) { dx in
                    check(cdnn_max_pool_backward(&description, dy, places_, dx), "pooling backward \(sizes)")
                }
            }
        }
    }
}
