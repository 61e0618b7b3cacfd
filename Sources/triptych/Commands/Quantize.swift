import ArgumentParser
import Foundation
import Tensor
import Threads
import Training

/// `triptych quantize`.
struct Quantize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes a trained model narrow: 8-bit numbers, or bfloat16.",
        discussion: """
            --precision int8 holds the weights of linear layers and convolutions as whole numbers from -127 to 127 with a scale \
            for each output, and multiplies them with inputs that are rounded to 8 bits as they come; --precision bf16 has both in \
            bfloat16. Sums stay in 32 bits; softmax, norms, what is added around a block, patch embeddings and a ResNet's \
            first convolution in float32.

            Ranges are not fitted to data. With --data the model is measured beside its parent on the query and gallery splits: \
            figures.json, figures.txt and figures.svg. With --budget layers that move the embeddings most, measured one by one on \
            --calibration sightings, stay wider (bf16, or float32) until the loss is below it: the mean of 1 - cosine to the \
            parent on queries, or with --budget-of mAP what mAP loses among the identities that its training held out.

            With --steps the model is first fine-tuned: it computes as the narrow one will, and its embeddings of the train split \
            are held near to those of the model that is quantised. It stays so if that brought it nearer on the --calibration \
            sightings.

            Makes a folder with model.safetensors, which is evaluated, published and swapped as any other.
            """)

    @Option(help: "The model to quantise.")
    var checkpoint: String
    @Option(help: "int8 or bf16.")
    var precision: Precision
    @Option(help: "A data set to measure on, in any of the layouts of docs/datasets.md.")
    var data: String?
    @OptionGroup var layout: LayoutOptions
    @Option(help: "Sightings that layers are measured on.")
    var calibration = 32
    @Option(help: "Fine-tuning steps; 0 for none.")
    var steps = 0
    @Option(help: "Of these, in the beginning; it falls to 0.")
    var learningRate: Float = 1e-5
    @Option(help: "The largest loss, such as 0.003; without it every layer is narrow.")
    var budget: Double?
    @Option(help: "What the budget is of: cosine, the mean of 1 - cosine to the parent's embeddings, or mAP.")
    var budgetOf = QuantizationPlan.Measure.cosine
    @Option(help: "The folder to make; it must not exist or be empty.")
    var output: String
    @Flag(help: "Print the figures as JSON.")
    var json = false

    func run() async throws {
        let plan = try QuantizationPlan(
            precision: precision, budget: budget, of: budgetOf, calibration: calibration, steps: steps,
            learningRate: learningRate)
        let quantizer = try Quantizer(
            plan: plan, parentPath: checkpoint, dataset: try data.map { try layout.open($0) },
            output: URL(fileURLWithPath: output))
        let display = QuantizationDisplay()
        let outcome = try await ComputeThread.shared.run { try quantizer.run(report: display.show) }
        if json {
            print(String(decoding: try PruningTable(outcome.models).json(), as: UTF8.self))
        } else {
            if !outcome.models.isEmpty { Output.table(PruningTable(outcome.models).rows) }
            print(outcome.path)
        }
    }
}

extension Precision: ExpressibleByArgument {
    /// What a model can be quantised to.
    public static var allValueStrings: [String] { [Precision.int8, .bfloat16].map(\.rawValue) }
}
extension QuantizationPlan.Measure: ExpressibleByArgument {}
