import Tensor

/// BNNeck and classifier (Luo et al., 2019): batch norm whose shift stays 0, then a linear layer without bias. Only
/// training has one: embeddings are taken before the neck.
struct IdentityHead: Sendable {
    private let neck: BatchNorm
    private let classifier: Tensor

    /// Takes the parameters of a neck and a classifier [identities, width].
    init(neck: ParameterScope, classifier: ParameterScope, width: Int, identities: Int) throws {
        self.neck = try BatchNorm(neck, width: width, trainsBias: false)
        self.classifier = try classifier.parameter("weight", [identities, width])
    }

    /// [B, D] → the logits [B, identities].
    func callAsFunction(_ x: Tensor) -> Tensor { neck(x).linear(weight: classifier, bias: nil) }
}
