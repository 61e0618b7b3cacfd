import Foundation
import Inference
import Tensor

/// Weights from elsewhere, by the names that torchvision and timm give them.
public struct ForeignWeights: Sendable {
    /// By name, float32.
    public let tensors: [String: Tensor]

    /// Weights as given.
    public init(_ tensors: [String: Tensor]) { self.tensors = tensors }

    /// Reads a safetensors file, or one that PyTorch saved. A pickle is read by a machine that can build tensors and
    /// containers and nothing else.
    ///
    /// Throws `ImportError` or `CheckpointError`.
    public init(path: String) throws {
        let url = URL(fileURLWithPath: path)
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: url))
        } catch {
            throw ImportError(error.localizedDescription, file: path)
        }
        // A safetensors file begins with its header's length, and then the header's brace.
        if bytes.count > 8, bytes[8] == UInt8(ascii: "{") {
            tensors = try SafetensorsReader(path: path).tensors { $0.elementType.isFloatingPoint && $0.count > 0 }
                .tensors
            return
        }
        do {
            tensors = try TorchFile(bytes).stateDictionary()
        } catch {
            throw ImportError(error.reason, file: path)
        }
    }
}

/// A file of foreign weights that cannot be read, and why.
public struct ImportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path as it was given.
    public var file: String
    /// What was expected and what was found.
    public let reason: String

    init(_ reason: String, file: String = "") {
        self.reason = reason
        self.file = file
    }

    /// `file: reason`.
    public var description: String { "\(file): \(reason)" }
}
