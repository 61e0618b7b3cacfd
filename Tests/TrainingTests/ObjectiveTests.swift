import Inference
import Tensor
import Testing
import Training

@Suite("GraFT's objective against the reference")
struct ObjectiveTests {
    private let labels = [0, 0, 1, 2]
    private let triples = [[0, 1, 2], [1, 0, 3], [0, 1, 3], [1, 0, 2]]
    private let fixture: [String: Tensor]
    private let output: SystemOutput

    init() throws {
        let checkpoint = try Fixture.graft()
        fixture = checkpoint.weights.tensors
        let mode = ModelMode.training(dropout: nil, statistics: RunningStatistics())
        let model = try checkpoint.configuration.makeSystem(
            ParameterScope(checkpoint.weights.under("weights"), mode: mode))
        let images = try Modality.allCases.map { modality in
            (modality, try #require(checkpoint.weights["input.\(modality.rawValue)"]).transposed([0, 2, 3, 1]))
        }
        output = model(Dictionary(uniqueKeysWithValues: images))
    }

    private func expected(_ name: String) throws -> [Float] { try #require(fixture[name]).scalars }

    @Test("the loss and each term")
    func values() throws {
        let objective = GraFTObjective(triplet: 0.5, center: 0.0005, crossEntropy: 0.5, labelSmoothing: 0.1)
        let value = Objective.graft(objective)(
            output, .init(labels: labels, triples: triples, centers: fixture["centers"]))
        for (term, found) in value.terms {
            #expect(relativeError([found], try expected("loss.\(term)")) < 1e-4, "\(term)")
        }
        #expect(value.terms.count == 3)
        #expect(relativeError(value.total.scalars, try expected("loss.total")) < 1e-4)
    }

    @Test("the gradient with respect to every parameter, and to the centers")
    func gradientsOfEverything() throws {
        let objective = GraFTObjective(triplet: 0.5, center: 0.0005, crossEntropy: 0.5, labelSmoothing: 0.1)
        let centers = try #require(fixture["centers"]).tracked(as: "centers")
        let value = Objective.graft(objective)(output, .init(labels: labels, triples: triples, centers: centers))
        let found = gradients(of: value.total)
        let names = fixture.keys.filter { $0.hasPrefix("gradient.") }.map { String($0.dropFirst("gradient.".count)) }
        #expect(found.keys.sorted() == names.sorted())
        // A gradient that cancels out is compared at the scale of all of them.
        let scale = try names.map { try expected("gradient.\($0)").map(abs).max() ?? 0 }.max() ?? 0
        for name in names {
            let (a, b) = (try #require(found[name]).scalars, try expected("gradient.\(name)"))
            let own = max(b.map(abs).max() ?? 0, scale * 1e-4)
            let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
            #expect(worst <= 1e-4 * own, "\(name): off by \(worst), scale \(own)")
        }
    }

    @Test("the triplet loss of all eight combinations", arguments: GraFTObjective.Combination.allCases)
    func combinations(combination: GraFTObjective.Combination) throws {
        let objective = GraFTObjective(combination: combination)
        let value = Objective.graft(objective)(
            output, .init(labels: labels, triples: triples, centers: fixture["centers"]))
        let found = try #require(value.terms["triplet"])
        #expect(relativeError([found], try expected("triplet.\(combination.rawValue)")) < 1e-4)
    }

    @Test("a term without weight leaves no gradient")
    func unweighted() throws {
        let centers = try #require(fixture["centers"]).tracked(as: "centers")
        let value = Objective.graft(GraFTObjective(center: 0))(
            output, .init(labels: labels, triples: triples, centers: centers))
        #expect(gradients(of: value.total)["centers"] == nil)
        #expect(value.terms["center"] != 0)
    }
}
