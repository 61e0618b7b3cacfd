import Tensor

/// BNNeck and classifier (Luo et al., 2019): batch norm whose shift stays 0, then a linear layer without bias. Only
/// training has one: embeddings are taken before the neck.
struct IdentityHead: Sendable {
    private let weight: Tensor
    private let bias: Tensor
    private let runningMean: Tensor
    private let runningVariance: Tensor
    private let classifier: Tensor
    private let statisticsPath: String

    /// Takes the parameters of `neck` and `classifier` of a scope.
    init(_ scope: ParameterScope, neck: String, classifier: String, width: Int, identities: Int) throws {
        let norm = scope.scope(neck)
        weight = try norm.parameter("weight", [width])
        bias = try norm.buffer("bias", [width])
        runningMean = try norm.buffer("running_mean", [width])
        runningVariance = try norm.buffer("running_var", [width])
        self.classifier = try scope.scope(classifier).parameter("weight", [identities, width])
        statisticsPath = norm.full("")
    }

    /// [B, D] → the logits [B, identities], and the running statistics after this batch, by path: PyTorch's momentum
    /// 0.1, with the unbiased variance.
    func callAsFunction(_ x: Tensor) -> (logits: Tensor, statistics: [String: Tensor]) {
        let result = x.batchNorm(weight: weight, bias: bias, epsilon: 1e-5)
        let count = Float(x.shape[0])
        let momentum: Float = 0.1
        let unbiased = result.variance.scaled(by: momentum * count / (count - 1))
        let statistics = [
            statisticsPath + "running_mean":
                runningMean.scaled(by: 1 - momentum) + result.mean.scaled(by: momentum),
            statisticsPath + "running_var": runningVariance.scaled(by: 1 - momentum) + unbiased,
        ]
        return (result.output.linear(weight: classifier, bias: nil), statistics)
    }
}
