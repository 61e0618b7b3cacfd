extension Tensor {
    /// Softmax over the innermost axis.
    public func softmax() -> Tensor { softmax(logarithm: false) }

    /// The logarithm of the softmax over the innermost axis, without overflow.
    public func logSoftmax() -> Tensor { softmax(logarithm: true) }

    private func softmax(logarithm: Bool) -> Tensor {
        let output = Kernels.softmax(self, logarithm: logarithm)
        // The untracked result: no cycle.
        return output.recorded(from: [self]) { [Kernels.softmaxBackward(output, $0, logarithm: logarithm)] }
    }
}
