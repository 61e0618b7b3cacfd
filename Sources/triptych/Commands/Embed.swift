import ArgumentParser
import Foundation
import Imaging
import Inference
import Tensor
import Threads

/// `triptych embed`.
struct Embed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encodes a triple of images, a text, or a file of tensors.",
        discussion: """
            Images: --rgb, --nir, --tir, any non-empty subset; prints {"model", "modalities", "embedding", \
            "vectors"}: a unit vector, and what it is made of, a vector a modality. Text: --text, for models that read texts; "modalities" is then ["text"]. Tensors: --input, a safetensors file with (B, 3, H, W) float32 tensors named by modality, already \
            resized and standardised; writes the tensor `embedding` (B, D), before L2 normalisation, to --output.
            """)

    @Option(help: "The model.")
    var checkpoint: String
    @Option(help: "A visible image.")
    var rgb: String?
    @Option(help: "A near-infrared image.")
    var nir: String?
    @Option(help: "A thermal-infrared image.")
    var tir: String?
    @Option(help: "A description in words that the model knows.")
    var text: String?
    @Option(help: "Where to write the tensors that the encoder saw.")
    var saveInput: String?
    @Option(help: "A safetensors file with tensors named by modality.")
    var input: String?
    @Option(help: "The safetensors file to write.")
    var output: String?

    private struct Answer: Encodable {
        let model: String
        let modalities: [String]
        let embedding: [Float]
        var vectors: [String: [Float]]?
    }

    private var files: [(Modality, String)] {
        [(Modality.rgb, rgb), (.nir, nir), (.tir, tir)].compactMap { pair in pair.1.map { (pair.0, $0) } }
    }

    func validate() throws {
        guard [input != nil, text != nil, !files.isEmpty].count(where: { $0 }) == 1 else {
            throw ValidationError("expected --input, or --text, or at least one of --rgb, --nir, --tir")
        }
        guard (input == nil) == (output == nil) else { throw ValidationError("--input and --output go together") }
        guard saveInput == nil || !files.isEmpty else { throw ValidationError("--save-input goes with images") }
    }

    func run() async throws {
        let encoder = try MultimodalEncoder(consuming: Checkpoint.load(path: checkpoint))
        if let input, let output {
            try await embed(input, output, encoder)
        } else if let text {
            try Output.json(
                Answer(model: encoder.model, modalities: ["text"], embedding: try await encoder.embed(text: text)))
        } else {
            try await embedImages(encoder)
        }
    }

    private func embed(_ input: String, _ output: String, _ encoder: MultimodalEncoder) async throws {
        let (tensors, _) = try SafetensorsReader(path: input).tensors { _ in true }
        let images = try Dictionary(
            uniqueKeysWithValues: tensors.map { name, tensor in
                guard let modality = Modality(rawValue: name) else {
                    throw EncoderError.wrongInput(name: name, expected: "a tensor named rgb, nir or tir", found: name)
                }
                guard tensor.shape.rank == 4, tensor.shape[1] == 3 else {
                    throw EncoderError.wrongInput(name: name, expected: "[B, 3, H, W]", found: "\(tensor.shape)")
                }
                return (modality, tensor.transposed([0, 2, 3, 1]))
            })
        let embedding = try await ComputeThread.shared.run { try encoder.embed(batch: images) }
        try SafetensorsWriter.write(["embedding": embedding], metadata: ["model": encoder.model], to: output)
        print("\(output): \(embedding.shape[0]) embeddings of \(embedding.shape[1]) elements")
    }

    private func embedImages(_ encoder: MultimodalEncoder) async throws {
        let decoder = ImageDecoder()
        var images: [Modality: Image] = [:]
        for (modality, path) in files {
            images[modality] = try Self.read(path, decoder.scaling(encoder.valueRange(modality)))
        }
        let embedding = try await encoder.embed(images)
        if let saveInput {
            let preprocessing = Preprocessing(encoder.configuration.input)
            let tensors = images.map { modality, image in
                let tensor = preprocessing.tensor([preprocessing.resized(image)], modality)
                return (modality.rawValue, tensor.transposed([0, 3, 1, 2]))
            }
            try SafetensorsWriter.write(Dictionary(uniqueKeysWithValues: tensors), metadata: [:], to: saveInput)
        }
        try Output.json(
            Answer(
                model: encoder.model, modalities: embedding.modalities.map(\.rawValue), embedding: embedding.values,
                vectors: embedding.named(order: encoder.modalities)))
    }

    private static func read(_ path: String, _ decoder: ImageDecoder) throws -> Image {
        do {
            return try decoder.decode(Data(contentsOf: URL(fileURLWithPath: path)))
        } catch let error as ImagingError {
            throw ValidationError("\(path): \(error)")
        } catch {
            throw ValidationError("\(path): \(error.localizedDescription)")
        }
    }
}
