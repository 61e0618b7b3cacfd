import ArgumentParser
import Foundation
import Similarity
import Training

/// Models and a data set, or vectors in a file.
struct EvaluationSource: ParsableArguments {
    @Option(
        help: "The model. With RegDB it may be given again, a model a trial, from --trial on; with --ensemble, too.")
    var checkpoint: [String] = []
    @Option(help: "The data set's folder, in any of the layouts of docs/datasets.md, or a list of images, a .csv file.")
    var data: String?
    @OptionGroup var layout: LayoutOptions
    @Option(
        help: """
            In place of model and data: a safetensors file with query, gallery [items, elements], query_identity, \
            query_camera, gallery_identity and gallery_camera [items], 64-bit integers.
            """)
    var embeddings: String?
    @Flag(help: "Several models as one: their embeddings, each normalised, side by side.")
    var ensemble = false
    @Flag(help: "Encode each image and its mirror image, and take the mean.")
    var flip = false
    @Flag(help: "With --embeddings: ranks count identities, each at its best item, as SYSU-MM01's do.")
    var deduplicated = false

    /// Throws `DatasetError`.
    func open(trialsLater: Int) throws -> TriplesDataset { try layout.open(data ?? "", trialsLater: trialsLater) }

    func validate() throws {
        if embeddings != nil {
            guard checkpoint.isEmpty, data == nil, !ensemble, !flip else {
                throw ValidationError(
                    "expected --embeddings alone, found it beside --checkpoint, --data, --ensemble or --flip")
            }
            return
        }
        guard !checkpoint.isEmpty, data != nil else {
            throw ValidationError("expected --checkpoint and --data, or --embeddings with a file")
        }
        if deduplicated {
            throw ValidationError("--deduplicated: expected --embeddings, as a data set says how it counts")
        }
        if ensemble, checkpoint.count < 2 {
            throw ValidationError("--ensemble: expected two models or more, found \(checkpoint.count)")
        }
    }
}

/// How galleries are ranked.
struct RankingOptions: ParsableArguments {
    @Option(help: "How far embeddings are apart: cosine or euclidean.")
    var distance = Ranking.Distance.cosine
    @Option(
        name: .customLong("protocol"),
        help: """
            For single images: mix, mix-cam, mix-id, mix-cam-id, cross-modal or uni-modal. With --embeddings: what is not ranked, standard, sysu, all \
            or mix-cam.
            """)
    var rule: RetrievalProtocol?
    @Flag(help: "Re-rank by what neighbours have in common (k-reciprocal encoding).")
    var rerank = false
    @Option(help: "Neighbours that re-ranking looks at.")
    var k1 = KReciprocal().k1
    @Option(help: "Neighbours over which it averages.")
    var k2 = KReciprocal().k2
    @Option(help: "What the distance itself counts for in it, 0 to 1.")
    var lambda = KReciprocal().weight

    /// The protocol's option, if it ranks single images of a data set.
    var mixed: [String] {
        rule.map { RetrievalProtocol.mixed.contains($0) ? ["--protocol \($0.rawValue)"] : [] } ?? []
    }

    var scoresAreCosines: Bool { !rerank && distance == .cosine }

    var method: RankingMethod {
        var reranking = KReciprocal()
        (reranking.k1, reranking.k2, reranking.weight) = (k1, k2, lambda)
        return RankingMethod(distance: distance, reranking: rerank ? reranking : nil)
    }

    func validate() throws {
        if rerank, distance == .euclidean {
            throw ValidationError(
                "--rerank: expected the cosine, as it compares unit vectors; found --distance euclidean")
        }
        guard k1 >= 1, k2 >= 1, (0...1).contains(lambda) else {
            throw ValidationError(
                "expected --k1 and --k2 from 1 on and --lambda from 0 to 1, found \(k1), \(k2) and \(lambda)")
        }
        let paper = KReciprocal()
        if !rerank, (k1, k2, lambda) != (paper.k1, paper.k2, paper.weight) {
            throw ValidationError("--k1, --k2, --lambda: expected --rerank, found none")
        }
    }
}

/// What is asked of open-set identification.
struct OpenSetOptions: ParsableArguments {
    @Option(
        name: .customLong("open-set"),
        help: """
            The share of the identities with something to be found that is taken out of the gallery, 0 to 1; their queries, and \
            those that have nothing to be found anyway, are searches without a mate.
            """)
    var share: Double?
    @Option(help: "False-positive identification rates to hold, from 0 and below 1, with commas.")
    var fpir = "0.01,0.1"
    @Option(help: "Of who is taken out, and of the intervals.")
    var seed: UInt64 = 1
    @Option(help: "Where to draw the curve, an .svg file.")
    var curve: String?

    private var rates: [Double] { fpir.split(separator: ",").map { Double($0) ?? .nan } }

    var plan: OpenSetPlan? { share.map { OpenSetPlan(removed: $0, rates: rates, seed: seed) } }

    func validate() throws {
        if let share, !(0...1).contains(share) {
            throw ValidationError("--open-set: expected a share from 0 to 1, found \(share)")
        }
        guard !rates.isEmpty, rates.allSatisfy({ (0..<1).contains($0) }) else {
            throw ValidationError("--fpir: expected rates from 0 and below 1, with commas, found \(fpir)")
        }
        if curve != nil, share == nil { throw ValidationError("--curve: expected --open-set, found none") }
    }
}

extension Ranking.Distance: ExpressibleByArgument {}
extension RetrievalProtocol: ExpressibleByArgument {}
