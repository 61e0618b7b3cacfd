import Inference
import Tensor

extension ModelConfiguration {
    /// Where a backbone's tensor goes: once a modality, once, or into both of MixER's branches.
    func paths(ofBackbone name: String) -> [String] {
        let paths = networkPaths.map { $0 + name }
        return system.name == .mixer ? paths + branchPaths(name) : paths
    }

    private func branchPaths(_ name: String) -> [String] {
        var inner: String?
        if case .vit(let vit) = backbone {
            let last = "blocks.\(vit.depth - 1)."
            if name.hasPrefix(last) { inner = "block." + name.dropFirst(last.count) }
        }
        if name.hasPrefix("layer4.") || name.hasPrefix("norm.") { inner = name }
        return inner.map { ["erased.\($0)", "related.\($0)"] } ?? []
    }

    /// Why a tensor that has no place is not needed either; nil if it is.
    func reasonToSkip(_ name: String, _ tensor: Tensor) -> String? {
        guard case .vit(let vit) = backbone else { return nil }
        if name == "dist_token" { return "the model has no distillation token" }
        if name == "projection.weight", vit.variant.projection == nil {
            return "the model does not project: backbone.projection: \(tensor.shape[0]) does"
        }
        let parts = name.split(separator: ".")
        guard parts.count > 2, parts[0] == "blocks", let block = Int(parts[1]), block >= vit.depth else { return nil }
        return "the model has \(vit.depth) blocks"
    }

    /// Why a tensor that is needed has no place.
    func reasonWithoutPlace(_ name: String) -> String {
        if name.hasPrefix("norm_pre.") {
            return "the model does not normalise before its blocks: backbone.pre_norm: true does"
        }
        if name.contains(".mlp.w") { return "a gated hidden layer (SwiGLU), which the model's blocks do not have" }
        return "the model has no such layer"
    }

    /// What a CLIP was trained with and its file does not say, where the model has it otherwise.
    var notesOnCLIP: [String] {
        guard case .vit(let vit) = backbone else { return [] }
        var notes: [String] = []
        if vit.variant.activation == .gelu {
            notes.append(
                "the model has GELU; OpenAI's CLIP was trained with QuickGELU: backbone.activation: quick_gelu")
        }
        if vit.variant.normEpsilon != 1e-5 {
            notes.append("the model's layer norms add \(vit.variant.normEpsilon); CLIP's 1e-5: backbone.norm_epsilon")
        }
        return notes
    }
}
