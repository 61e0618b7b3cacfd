import Documents
import Foundation
import Inference
import Testing

@Suite("Configurations that are refused")
struct ConfigurationRefusalTests {
    /// One change to a sound configuration, and how it is refused.
    struct Change: Sendable, CustomTestStringConvertible {
        let base: String
        let path: [String]
        let value: String?
        let message: String

        init(in base: String = "graft", _ path: String, _ value: String?, _ message: String) {
            self.base = base
            self.path = path.split(separator: ".").map(String.init)
            self.value = value
            self.message = message
        }

        var testDescription: String { "\(path.joined(separator: ".")) = \(value ?? "nothing")" }
    }

    static let document: [Change] = [
        .init("format", "3", "format: expected 1 or 2, found 3"),
        .init("format", nil, "format: expected a whole number, found nothing"),
        .init("system", #""vgg""#, "system: expected one of unicat, fusion_concat"),
        .init("modalities", "[]", "modalities: expected at least one, found []"),
        .init("modalities", #"["rgb","rgb"]"#, "modalities: expected no duplicates, found [rgb, rgb]"),
        .init("modalities", #"["swir"]"#, "modalities: expected a list of rgb, nir, tir, found [\"swir\"]"),
        .init("head", nil, "head: expected an object, found nothing"),
        .init("identities", "0", "identities: expected 1 to 10000000, found 0"),
        .init("identities", "10000001", "identities: expected 1 to 10000000"),
        .init("pruning", "[1]", "pruning: expected an object, found [1]"),
        .init("networks", "2", "networks: expected 1 for system graft, found 2"),
        .init(in: "unicat-vit", "networks", "9", "networks: expected 1 to 8, found 9"),
        .init(in: "unicat-vit", "networks", "0", "networks: expected 1 to 8, found 0"),
        .init(in: "mixer-vit", "head", "3", "head: expected an object, found 3"),
        .init(
            in: "mixer-vit", "head", #"{"embedding":"all"}"#, "head.embedding: expected one of both, erased, related"),
        .init(
            in: "mixer-vit", "head", #"{"embedding":"erased","fusion":"cross_attention"}"#,
            "head.embedding: expected both for fusion cross_attention, found erased"),
    ]

    static let backbone: [Change] = [
        .init("backbone.kind", #""cnn""#, "backbone.kind: expected one of vit, resnet, found \"cnn\""),
        .init("backbone.width", "\"64\"", "backbone.width: expected a whole number, found \"64\""),
        .init("backbone.width", "0", "backbone.width: expected 1 to 16384, found 0"),
        .init("backbone.width", "9223372036854775807", "backbone.width: expected 1 to 16384"),
        .init("backbone.width", "1e30", "backbone.width: expected a whole number, found 1e+30"),
        .init("backbone.depth", "129", "backbone.depth: expected 1 to 128, found 129"),
        .init("backbone.heads", "5", "backbone.heads: expected a divisor of the width 64, found 5"),
        .init("backbone.heads", "0", "backbone.heads: expected a divisor of the width 64, found 0"),
        .init("backbone.mlp_ratio", "1e300", "backbone.mlp_ratio: expected a hidden layer of 1 to 16384"),
        .init("backbone.mlp_ratio", "-4", "backbone.mlp_ratio: expected a hidden layer"),
        .init("backbone.patch", "65", "backbone.patch: expected 1 to 64, found 65"),
        .init("backbone.stride", "0", "backbone.stride: expected 1 to 1024, found 0"),
        .init("backbone.stride", "-9223372036854775808", "backbone.stride: expected 1 to 1024"),
        .init(
            "backbone.activation", #""relu""#, "backbone.activation: expected one of gelu, quick_gelu, found \"relu\""),
        .init("backbone.norm_epsilon", "0", "backbone.norm_epsilon: expected more than 0, at most 0.01, found 0"),
        .init("backbone.projection", "0", "backbone.projection: expected 1 to 16384, found 0"),
        .init(in: "dmf", "backbone.projection", "8", "backbone.projection: expected none for system dmf, found 8"),
        .init(in: "dmf", "backbone.pre_norm", "true", "backbone.pre_norm: expected none for system dmf, found true"),
        .init(in: "mixer-vit", "backbone.projection", "8", "backbone.projection: expected none for system mixer"),
        .init("input.value_range", "[0,1]", "input.value_range: expected an object"),
        .init(
            "input.value_range", #"{"tir":[9,9]}"#,
            "input.value_range.tir: expected two rising numbers from 0 to 65535, found [9,9]"),
        .init("input.value_range", #"{"tir":[0,65536]}"#, "input.value_range.tir: expected two rising numbers"),
        .init(in: "unicat-resnet-18", "backbone.depth", "19", "backbone.depth: expected one of 18, 34, 50, 101"),
        .init(
            in: "unicat-resnet-18", "backbone.last_stride", "3", "backbone.last_stride: expected 1 to 2, found 3"),
        .init("backbone", #"{"kind":"resnet","depth":18}"#, "backbone.kind: expected vit for system graft"),
        .init(
            in: "ieee-resnet-18", "backbone", #"{"kind":"vit","width":8,"depth":1,"heads":1}"#,
            "backbone.kind: expected resnet for system ieee"),
    ]

    static let pruned: [Change] = [
        .init("backbone.block_heads", "[4]", "backbone.block_heads: expected 2 numbers, one a block, found 1"),
        .init("backbone.block_heads", "[4,0]", "backbone.block_heads.1: expected 1 to 4, found 0"),
        .init("backbone.block_heads", "[5,4]", "backbone.block_heads.0: expected 1 to 4, found 5"),
        .init("backbone.block_heads", "[4,1.5]", "backbone.block_heads: expected a list of whole numbers"),
        .init("backbone.mlp_widths", "[256,257]", "backbone.mlp_widths.1: expected 1 to 256, found 257"),
        .init("backbone.mlp_widths", "{}", "backbone.mlp_widths: expected a list of whole numbers, found {}"),
        .init(
            in: "unicat-resnet-18", "backbone.inner_widths", "[[64]]",
            "backbone.inner_widths: expected 8 lists, one a block, found 1"),
        .init(
            in: "unicat-resnet-18", "backbone.inner_widths", "[[64],[64],[128],[128],[256],[256],[512],[513]]",
            "backbone.inner_widths.7: expected 1 to 512, found 513"),
        .init(
            in: "unicat-resnet-18", "backbone.inner_widths", "[[64],[64,64],[128],[128],[256],[256],[512],[512]]",
            "backbone.inner_widths.1: expected a list of 1, found [64, 64]"),
        .init(
            in: "unicat-resnet-18", "backbone.inner_widths", "[1]",
            "backbone.inner_widths: expected a list of lists of whole numbers, found [1]"),
    ]

    static let input: [Change] = [
        .init("input.height", "0", "input.height: expected 1 to 1024, found 0"),
        .init("input.width", "1025", "input.width: expected 1 to 1024, found 1025"),
        .init("input.interpolation", #""nearest""#, "input.interpolation: expected"),
        .init("input.mean.nir", nil, "input.mean.nir: expected 3 finite numbers, found nothing"),
        .init("input.mean.nir", "[1,2]", "input.mean.nir: expected 3 finite numbers, found [1.0, 2.0]"),
        .init("input.mean.nir", "[1,2,1e39]", "input.mean.nir: expected 3 finite numbers, found [1.0, 2.0, inf]"),
        .init("input.std.tir", "[1,0,1]", "input.std.tir: expected 3 positive finite numbers"),
        .init("input.std.tir", "[1,-1,1]", "input.std.tir: expected 3 positive finite numbers"),
    ]

    static let heads: [Change] = [
        .init("head.fusion_tokens", "0", "head.fusion_tokens: expected 1 to 64, found 0"),
        .init("head.heads", "7", "head.heads: expected a divisor of the width 64, found 7"),
        .init("head.feedforward", "99999", "head.feedforward: expected 1 to 16384, found 99999"),
        .init("head.dropout", "1", "head.dropout: expected 0 ≤ dropout < 1, found 1.0"),
        .init(
            "head.fusion", #""sum""#,
            "head.fusion: expected one of token, cls, average, vanilla_cls, vanilla_average, found"),
        .init(in: "ieee-resnet-18", "head.parts", "0", "head.parts: expected 1 to 64, found 0"),
        .init(in: "ieee-resnet-18", "head.attention_ratio", "513", "head.attention_ratio: expected 1 to 512"),
        .init(in: "dmf", "head.text.vocabulary", "[]", "head.text.vocabulary's count: expected 1 to"),
        .init(in: "dmf", "head.text.vocabulary", #"["a","a"]"#, "head.text.vocabulary: expected no duplicates"),
        .init(in: "dmf", "head.text.vocabulary", #"["a",""]"#, "head.text.vocabulary: expected words"),
        .init(in: "dmf", "head.text.max_tokens", "4096", "head.text.max_tokens: expected 1 to 4095"),
    ]

    @Test("name the field, what it had to be and what it is", arguments: document + backbone + pruned + input + heads)
    func refused(_ change: Change) throws {
        let groups = try JSONDecoder().decode(
            [String: [String: JSONValue]].self, from: CheckpointFiles.data("configurations.json"))
        let base = try #require(groups["small"]?[change.base])
        let value = try change.value.map { try JSONParser.parse(Array($0.utf8)) }
        let changed = base.setting(change.path[...], to: value)
        let text = String(decoding: try JSONEncoder().encode(changed), as: UTF8.self)
        #expect {
            try ModelConfiguration(json: text)
        } throws: { error in
            let hasMessage = "\(error)".contains(change.message)
            if !hasMessage { Issue.record("\(error)") }
            return error is DocumentError && hasMessage
        }
    }

    @Test("a fine grid over a large image has too many tokens")
    func tokens() throws {
        var configuration = CheckpointFiles.configuration
        configuration.input.height = 1024
        configuration.input.width = 1024
        #expect {
            try configuration.validate()
        } throws: { error in
            "\(error)".contains("backbone.stride: expected at most 4096 tokens an image, found 2 + 128 × 128")
        }
    }

    @Test("an embedding longer than a gallery can hold is refused")
    func dimension() throws {
        let groups = try JSONDecoder().decode(
            [String: [String: JSONValue]].self, from: CheckpointFiles.data("configurations.json"))
        let changed = groups["small"]?["ieee-resnet-18"]?.setting(["head", "part_width"], to: .integer(16384))?
            .setting(["head", "parts"], to: .integer(64))
        #expect(
            throws: DocumentError.invalid(
                field: "system", expected: "an embedding of at most 65536 elements", found: "3145728")
        ) { try ModelConfiguration(json: try #require(changed).canonicalText()) }
    }

    @Test(
        "a document that is no JSON, no object or has a key twice",
        arguments: ["", "[]", "1", "{\"format\":1,\"format\":1}"])
    func documents(text: String) {
        #expect(throws: DocumentError.self) { try ModelConfiguration(json: text) }
    }
}

extension JSONValue {
    fileprivate func setting(_ path: ArraySlice<String>, to value: JSONValue?) -> JSONValue? {
        guard let key = path.first else { return value }
        var members = object ?? [:]
        members[key] = (members[key] ?? .object([:])).setting(path.dropFirst(), to: value)
        return .object(members)
    }
}
