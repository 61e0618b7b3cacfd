import Synthesis
import Testing

struct ParametersTests {
    private func refusal(
        identities: Int = 10, cameras: Int = 3, sightings: Int = 2, height: Int = 32, width: Int = 64,
        trainFraction: Double = 0.7
    ) -> String? {
        do throws(SynthesisError) {
            _ = try SynthesisParameters(
                identities: identities, cameras: cameras, sightings: sightings, height: height, width: width, seed: 1,
                trainFraction: trainFraction)
            return nil
        } catch {
            guard case .invalidParameter(let field, _, _) = error else { return "\(error)" }
            return field
        }
    }

    @Test("Each parameter out of its range is refused by name")
    func ranges() {
        #expect(refusal() == nil)
        #expect(refusal(identities: 1) == "identities")
        #expect(refusal(identities: 10_000) == "identities")
        #expect(refusal(cameras: 1) == "cameras")
        #expect(refusal(cameras: 10) == "cameras")
        #expect(refusal(sightings: 0) == "sightings")
        #expect(refusal(sightings: 1000) == "sightings")
        #expect(refusal(height: 15) == "height")
        #expect(refusal(width: 1025) == "width")
        #expect(refusal(trainFraction: 0) == "trainFraction")
        #expect(refusal(trainFraction: 1) == "trainFraction")
        #expect(refusal(trainFraction: .nan) == "trainFraction")
    }

    @Test("The message says what was expected and what was found")
    func message() {
        let error = SynthesisError.invalidParameter(field: "cameras", expected: "2 to 9", found: "12")
        #expect(error.description == "cameras: expected 2 to 9, found 12")
    }

    @Test("Both sides of the split keep at least one vehicle")
    func split() throws {
        func train(_ identities: Int, _ fraction: Double) throws -> Int {
            try SynthesisParameters(
                identities: identities, cameras: 2, sightings: 1, height: 16, width: 16, seed: 1,
                trainFraction: fraction
            ).trainIdentities
        }
        #expect(try train(200, 0.7) == 140)
        #expect(try train(2, 0.99) == 1)
        #expect(try train(2, 0.01) == 1)
    }
}
