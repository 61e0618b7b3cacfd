import Inference
import Tensor

/// The backbone in a file of foreign weights, under torchvision's or timm's names, whatever stood before these.
struct ForeignBackbone {
    /// What it computes with, by name.
    private(set) var tensors: [String: Tensor] = [:]
    /// What was changed, and how.
    private(set) var adapted: [String: String] = [:]
    /// What a backbone computes without, and what it is for.
    private(set) var skipped: [String: String] = [:]
    /// Whether it is CLIP's, whose blocks differ in what no file says.
    let isCLIP: Bool

    /// Finds the network, names it as timm does, and folds into its layers what these can hold.
    init(_ foreign: ForeignWeights) {
        let prefix = Self.prefix(foreign.tensors.keys)
        var own: [String: Tensor] = [:]
        for (name, tensor) in foreign.tensors {
            if name.hasPrefix(prefix) {
                own[String(name.dropFirst(prefix.count))] = tensor
            } else {
                skipped[name] = "no part of the network whose names begin with \(prefix)"
            }
        }
        let clip = CLIPNames.timm(own)
        isCLIP = clip != nil
        for (name, tensor) in clip ?? own {
            if let reason = Self.spare(name) { skipped[name] = reason } else { tensors[name] = tensor }
        }
        addPatchBias()
        foldLayerScale()
    }

    /// What stands before the names of a network: before that of the first thing it does with an image. The shortest, if there
    /// are several: ResNets have such names within.
    private static func prefix(_ names: some Collection<String>) -> String {
        for first in ["class_embedding", "cls_token", "conv1.weight"] {
            let found = names.filter { $0 == first || $0.hasSuffix(".\(first)") }.map { $0.dropLast(first.count) }
            if let prefix = found.min(by: { ($0.count, $0) < ($1.count, $1) }) { return String(prefix) }
        }
        return ""
    }

    /// What a tensor is for, if a backbone computes without it.
    private static func spare(_ name: String) -> String? {
        if ["fc.", "head", "classifier."].contains(where: name.hasPrefix) { return "a classifier of other classes" }
        switch name {
        case "mask_token": return "stands for what pretraining hides"
        case "register_tokens", "reg_token":
            return "registers, which the model has none of: its features differ until it is trained on"
        case "sie_embed", "cv_embed": return "side information of cameras and views, which a query does not have"
        default: return nil
        }
    }

    /// CLIP's patches are projected without one.
    private mutating func addPatchBias() {
        let name = "patch_embed.proj.bias"
        guard let weight = tensors["patch_embed.proj.weight"], tensors[name] == nil else { return }
        tensors[name] = .zeros([weight.shape[0]])
        adapted[name] = "the file has none: zeros"
    }

    /// LayerScale (CaiT, Touvron et al., 2021) folds into the layer before it: γ·(W·x + b).
    private mutating func foldLayerScale() {
        let layers = [
            ".ls1.gamma": ".attn.proj", ".ls2.gamma": ".mlp.fc2", ".gamma_1": ".attn.proj", ".gamma_2": ".mlp.fc2",
        ]
        for (name, gamma) in tensors {
            guard let (suffix, layer) = layers.first(where: { name.hasSuffix($0.key) }) else { continue }
            let path = name.dropLast(suffix.count) + layer
            guard let weight = tensors["\(path).weight"], let bias = tensors["\(path).bias"],
                weight.shape.rank == 2, gamma.shape == bias.shape, weight.shape[0] == gamma.count
            else { continue }
            tensors["\(path).weight"] = weight.multiplied(by: gamma, repeatedAlong: 1)
            tensors["\(path).bias"] = bias * gamma
            tensors[name] = nil
            adapted["\(path).weight"] = "LayerScale folded in"
            adapted["\(path).bias"] = "LayerScale folded in"
        }
    }
}

/// The names of CLIP's image tower (Radford et al., 2021), as OpenAI and OpenCLIP write them.
private enum CLIPNames {
    private static let layers = [
        "ln_1": "norm1", "ln_2": "norm2", "attn.in_proj_weight": "attn.qkv.weight",
        "attn.in_proj_bias": "attn.qkv.bias", "attn.out_proj": "attn.proj", "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2", "ls_1": "ls1", "ls_2": "ls2",
    ]

    /// A tower under timm's names, its projection in a linear layer's orientation; nil for what is no such tower.
    static func timm(_ tensors: [String: Tensor]) -> [String: Tensor]? {
        if tensors["class_embedding"] != nil {
            let renamed = tensors.map { name, tensor in (timm(name), reshaped(name, tensor)) }
            return Dictionary(renamed) { first, _ in first }
        }
        // timm's own form of it has the projection for a head, and a bias of zeros for that.
        guard tensors["norm_pre.weight"] != nil, let projection = tensors["head.weight"] else { return nil }
        var tensors = tensors
        (tensors["projection.weight"], tensors["head.weight"]) = (projection, nil)
        return tensors
    }

    private static func timm(_ name: String) -> String {
        switch name {
        case "class_embedding": return "cls_token"
        case "positional_embedding": return "pos_embed"
        case "conv1.weight": return "patch_embed.proj.weight"
        case "proj": return "projection.weight"
        default: break
        }
        if name.hasPrefix("ln_pre.") { return "norm_pre." + name.dropFirst(7) }
        if name.hasPrefix("ln_post.") { return "norm." + name.dropFirst(8) }
        let blocks = "transformer.resblocks."
        guard name.hasPrefix(blocks) else { return name }
        let parts = name.dropFirst(blocks.count).split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let (old, new) = layers.first(where: { parts[1].hasPrefix($0.key) }) else {
            return name
        }
        return "blocks.\(parts[0]).\(new)\(parts[1].dropFirst(old.count))"
    }

    private static func reshaped(_ name: String, _ tensor: Tensor) -> Tensor {
        switch (name, tensor.shape.rank) {
        case ("class_embedding", 1): tensor.reshaped([1, 1, tensor.count])
        case ("positional_embedding", 2): tensor.reshaped([1, tensor.shape[0], tensor.shape[1]])
        case ("proj", 2): tensor.transposed([1, 0])
        default: tensor
        }
    }
}
