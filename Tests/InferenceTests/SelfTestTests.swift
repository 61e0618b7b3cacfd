import Inference
import Testing

@Suite("Outputs of a model before it serves")
struct SelfTestTests {
    private func encoder(_ change: (inout Weights) -> Void = { _ in }) throws -> MultimodalEncoder {
        let fixture = try GraFTFixture()
        var weights = fixture.weights
        change(&weights)
        return try MultimodalEncoder(configuration: fixture.configuration, weights: weights, model: "m")
    }

    @Test("a sound model passes")
    func sound() throws { try SelfTest.checkOutputs(encoder()) }

    @Test("one that answers with NaNs or zeros does not, and is told from which modalities")
    func unsound() throws {
        let broken = try encoder { weights in
            let path = "encoders.tir.linear2.weight"
            weights[path] = weights[path]?.scaled(by: .infinity)
        }
        #expect {
            try SelfTest.checkOutputs(broken)
        } throws: { error in
            guard let error = error as? SelfTest.Unsound else { return false }
            return error.modalities.contains(.tir) && error.found.contains("nan at index")
        }
        // The last layer norm of one modality gives nothing, which the others hide.
        let silent = try encoder { weights in
            for path in weights.paths where path.hasPrefix("encoders.nir.norm2.") {
                weights[path] = weights[path]?.scaled(by: 0)
            }
        }
        #expect(throws: SelfTest.Unsound(input: .white, modalities: [.nir], found: "zeros")) {
            try SelfTest.checkOutputs(silent)
        }
    }
}
