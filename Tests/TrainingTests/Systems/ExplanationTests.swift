import Foundation
import Inference
import Synchronization
import Tensor
import Testing

@Suite("Where models look, against the reference", .serialized)
struct ExplanationTests {
    private struct Golden: Decodable {
        struct Map: Decodable {
            let shape: [Int]
            let summary: [Double]
        }

        let classes: [Int]?
        let maps: [String: Map]
    }

    @Test(
        "attention and class activation are PyTorch's (Fixtures/make_explanations.py)",
        arguments: ["graft", "unicat-vit", "mixer-vit", "dmf", "unicat-resnet-18", "ieee", "mixer-resnet-18"])
    func maps(name: String) throws {
        let golden = try #require(try Fixture.json("explanations.json", as: [String: Golden].self)[name])
        let system = try #require(try GoldenSystem.all.get()[name])
        let configuration = system.config.model
        let (weights, images) = try SeededTensors.model(configuration, input: system.input)
        let found = try configuration.explanation(weights, of: images)
        #expect(found.classes == golden.classes)
        #expect(Set(found.maps.keys.map(\.rawValue)) == Set(golden.maps.keys))
        for (modality, map) in found.maps {
            let expected = try #require(golden.maps[modality.rawValue])
            #expect(map.shape.dimensions == expected.shape)
            let flat = map.reshaped([map.shape[0], map.shape[1] * map.shape[2]])
            let centred = flat - flat.mean(axis: 1).repeated(flat.shape[1], axis: 1)
            let summary = SeededTensors.summary("map \(modality.rawValue)", centred)
            for (found, expected) in zip(summary, expected.summary) {
                #expect(abs(found - expected) <= 1e-3 * summary[0], "\(modality): \(found), expected \(expected)")
            }
        }
    }

    @Test("a model without its classifiers is not explained")
    func exported() throws {
        let configuration = try #require(try GoldenSystem.all.get()["unicat-resnet-18"]).config.model
        let (whole, images) = try SeededTensors.model(configuration, input: 0)
        let weights = Weights(whole.tensors.filter { !$0.key.contains("classifier") })
        #expect(throws: WeightsError.self) { try configuration.explanation(weights, of: images) }
    }
}
