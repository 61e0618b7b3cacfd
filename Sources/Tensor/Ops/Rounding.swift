extension Tensor {
    /// Rounded as products with narrow weights round what they multiply: to bfloat16, or to codes of 8 bits with a scale and a zero
    /// point for each row of the innermost axis, or for images [B, H, W, C] with a scale for each, where what is negative becomes
    /// 0. The gradient goes through as if nothing had been rounded (straight through: Bengio et al., 2013, section 4).
    /// O(elements).
    public func rounded(to precision: Precision, byImage: Bool = false) -> Tensor {
        let rounded =
            switch precision {
            case .float32: detached
            case .bfloat16: HalfMap(detached).tensor
            case .int8: byImage ? Kernels.codedImages(detached) : Kernels.codedRows(detached)
            }
        return precision == .float32 ? self : rounded.recorded(from: [self]) { [$0] }
    }
}
