import Documents
import Foundation
import Imaging
import Inference
import Testing

@Suite("Model configurations")
struct ModelConfigurationTests {
    private func reference() throws -> [String: [String: JSONValue]] {
        try JSONDecoder().decode(
            [String: [String: JSONValue]].self, from: CheckpointFiles.data("configurations.json"))
    }

    private func configuration(_ value: JSONValue?) throws -> ModelConfiguration {
        try ModelConfiguration(json: String(decoding: JSONEncoder().encode(value), as: UTF8.self))
    }

    @Test("every configuration of the reference is read, and written so that it is read alike")
    func all() throws {
        let groups = try reference()
        #expect(groups.mapValues(\.count) == ["paper": 7, "small": 10])
        for (name, value) in groups.values.flatMap({ $0 }) {
            let configuration = try configuration(value)
            #expect(configuration.system.name.rawValue == value["system"]?.string, "\(name)")
            #expect(try ModelConfiguration(json: configuration.json()) == configuration, "\(name)")
            let written = try JSONDecoder().decode(JSONValue.self, from: Data(configuration.json().utf8))
            for key in ["format", "modalities", "backbone", "input"] {
                #expect(written[key] == value[key], "\(name) \(key)")
            }
        }
    }

    @Test("GraFT at the paper's size has that size")
    func graft() throws {
        let configuration = try configuration(reference()["paper"]?["graft"])
        #expect(configuration.system == .graft(.init(fusionTokens: 1, heads: 8, feedforward: 2048, dropout: 0.1)))
        #expect(configuration.backbone == .vit(.init(width: 768, depth: 12, heads: 12, distilled: true)))
        guard case .vit(let vit) = configuration.backbone else { return }
        #expect(vit.hidden == 3072)
        #expect(vit.prefix == 2)
        #expect(vit.grid(height: 224, width: 224) == (14, 14))
        #expect(configuration.input.mean[.tir] == [0.5, 0.5, 0.5])
        #expect(configuration.input.interpolation == .bilinear)
        #expect(configuration.modalities == [.rgb, .nir, .tir])
    }

    @Test("the other systems' heads are read")
    func heads() throws {
        let paper = try #require(try reference()["paper"])
        #expect(
            try configuration(paper["ieee"]).system
                == .ieee(.init(parts: 6, reduced: 768, partWidth: 128, attentionRatio: 16)))
        guard case .dmf(let head) = try configuration(paper["dmf"]).system else {
            Issue.record("not DMF")
            return
        }
        #expect(head.text.vocabulary.count == 10 && head.text.width == 32 && head.text.maxTokens == 16)
        let unicat = try configuration(paper["unicat-vit-b"])
        #expect(unicat.backbone == .vit(.init(width: 768, depth: 12, heads: 12, stride: 12)))
        #expect(try configuration(paper["mixer"]).modalities == [.rgb, .nir])
        #expect(try configuration(paper["ieee"]).backbone.width == 2048)
    }

    @Test("variants are written and read alike, and what is not one is written as it always was")
    func variants() throws {
        let small = try #require(try reference()["small"])
        var twice = try configuration(small["unicat-vit"])
        #expect(try !twice.json().contains("networks"))
        twice.networks = 2
        var halved = try configuration(small["mixer-vit"])
        #expect(try halved.system == .mixer() && !halved.json().contains("head\""))
        halved.system = .mixer(.init(embedding: .related))
        var vanilla = try configuration(small["graft"])
        vanilla.system = .graft(.init(heads: 4, feedforward: 8, fusion: .vanillaAverage))
        for configuration in [twice, halved, vanilla] {
            #expect(try ModelConfiguration(json: configuration.json()) == configuration)
        }
        for configuration in [twice, halved] { #expect(try configuration.json().contains(#""format":2"#)) }
    }

    @Test("what an earlier reader would ignore, and so encode otherwise, is written in a format that it refuses")
    func secondFormat() throws {
        let plain = try configuration(reference()["small"]?["graft"])
        #expect(try plain.json().contains(#""format":1"#))
        var clip = plain
        guard case .vit(var vit) = plain.backbone else { return }
        vit.variant.activation = .quickGELU
        vit.variant.normalisesFirst = true
        vit.variant.normEpsilon = 1e-5
        vit.variant.projection = 32
        clip.backbone = .vit(vit)
        #expect(clip.dimension == 32 && clip.backboneMultiplyAdds == plain.backboneMultiplyAdds + 66 * 64 * 32)
        var thermal = plain
        thermal.input.valueRange = [.tir: 29_315...31_315]
        for changed in [clip, thermal] {
            #expect(try changed.json().contains(#""format":2"#))
            #expect(try ModelConfiguration(json: changed.json()) == changed)
        }
    }

    @Test("what may be left out has the reference's default")
    func defaults() throws {
        let scaling = #"{"rgb":[0,0,0]}"#
        let text = """
            {"format":1,"system":"graft","modalities":["rgb"],"backbone":{"kind":"vit","width":32,"depth":1,"heads":4},
             "input":{"height":32,"width":32,"mean":\(scaling),"std":{"rgb":[1,1,1]}},"head":{"heads":4,"feedforward":64}}
            """
        let configuration = try ModelConfiguration(json: text)
        #expect(
            configuration.backbone
                == .vit(.init(width: 32, depth: 1, heads: 4, mlpRatio: 4, patch: 16, stride: 16, distilled: false)))
        #expect(
            configuration.system
                == .graft(.init(fusionTokens: 1, heads: 4, feedforward: 64, dropout: 0.1, fusion: .token)))
        #expect(configuration.input.interpolation == .bilinear)
        #expect(configuration.identities == nil && configuration.training == nil && configuration.pruning == nil)
    }

    @Test("unknown fields are ignored, those in training and pruning kept")
    func unknownFields() throws {
        var members = try #require(try reference()["small"]?["unicat-resnet-18"]?.object)
        members["colour"] = .string("blue")
        let extra = JSONValue.object(["x": .array([.null, .object(["y": .number(0.5)])])])
        members["training"] = extra
        members["pruning"] = extra
        let configuration = try configuration(.object(members))
        #expect(configuration.training == extra && configuration.pruning == extra)
        let written = try configuration.json()
        #expect(!written.contains("colour"))
        #expect(try ModelConfiguration(json: written) == configuration)
    }

    @Test("equal configurations give equal text")
    func canonicalText() throws {
        let first = try CheckpointFiles.configuration.json()
        #expect(try ModelConfiguration(json: first).json() == first)
        #expect(first.contains("0.485"), "a float is written as short as it can be")
    }
}
