import Documents
import Foundation

/// A checkpoint that could not be read or written: which file, and why.
public struct CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path as it was given.
    public let file: String
    /// What is wrong with it.
    public let reason: Reason

    /// Describes one failure.
    public init(file: String, reason: Reason) {
        self.file = file
        self.reason = reason
    }

    /// `file: expected …, found …`.
    public var description: String { "\(file): \(reason)" }

    /// Does work on a file, and names the file in what goes wrong.
    static func naming<Value: ~Copyable>(_ file: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let reason as Reason {
            throw CheckpointError(file: file, reason: reason)
        } catch let error as DocumentError {
            throw CheckpointError(file: file, reason: .configuration(error))
        } catch let error as FileError {
            throw CheckpointError(file: file, reason: .system(operation: error.operation, code: error.code))
        }
    }
}

extension CheckpointError {
    /// What is wrong with a file, with what was expected and what was found.
    public enum Reason: Error, Equatable, Sendable {
        /// The system refused an operation, with this `errno`.
        case system(operation: String, code: Int32)
        /// A folder, a device or a pipe.
        case notAFile
        /// Fewer bytes than the header promises.
        case truncated(expected: Int, found: Int)
        /// More bytes than the header accounts for.
        case trailingBytes(expected: Int, found: Int)
        /// More bytes of header than are read: most often, not a safetensors file at all.
        case headerTooLarge(limit: Int, found: UInt64)
        /// A header that is not the JSON it has to be.
        case notSafetensors(String)
        /// A tensor's description in the header that makes no sense.
        case entry(tensor: String, expected: String, found: String)
        /// An offset that leaves a hole or overlaps the tensor before.
        case offset(tensor: String, expected: Int, found: Int)
        /// A range whose length is not that of the tensor's elements.
        case byteCount(tensor: String, expected: Int, found: Int)
        /// Elements that are not numbers for a model.
        case elementType(tensor: String, expected: String, found: String)
        /// An infinity or a NaN, at this index of the flattened tensor.
        case notFinite(tensor: String, index: Int)
        /// A pruned tensor's mask and values that do not belong together.
        case mask(tensor: String, expected: String, found: String)
        /// A tensor's codes and scales that do not belong together, or its precision that is not the file's.
        case precision(tensor: String, expected: String, found: String)
        /// A key that the header's `__metadata__` has to hold.
        case missingMetadata(key: String)
        /// A configuration that is refused.
        case configuration(DocumentError)
    }
}

extension CheckpointError.Reason: CustomStringConvertible {
    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .system(let operation, let code):
            "\(operation) failed: \(String(cString: strerror(code))) (errno \(code))"
        case .notAFile:
            "expected a regular file, found something else"
        case .truncated(let expected, let found):
            "truncated: expected \(expected) bytes, found \(found)"
        case .trailingBytes(let expected, let found):
            "expected \(expected) bytes, found \(found): bytes that belong to no tensor"
        case .headerTooLarge(let limit, let found):
            "expected a safetensors header of at most \(limit) bytes, found \(found) as its length"
        case .notSafetensors(let problem):
            "not a safetensors file: \(problem)"
        case .missingMetadata(let key):
            "expected the key \(key) in __metadata__, found none"
        case .configuration(let error):
            "configuration: \(error)"
        default:
            tensorDescription
        }
    }

    private var tensorDescription: String {
        switch self {
        case .entry(let tensor, let expected, let found), .mask(let tensor, let expected, let found),
            .precision(let tensor, let expected, let found):
            "tensor \(tensor): expected \(expected), found \(found)"
        case .offset(let tensor, let expected, let found):
            "tensor \(tensor): expected offset \(expected), found \(found): tensors overlap or leave a hole"
        case .byteCount(let tensor, let expected, let found):
            "tensor \(tensor): expected \(expected) bytes for its shape, found \(found)"
        case .elementType(let tensor, let expected, let found):
            "tensor \(tensor): expected elements of type \(expected), found \(found)"
        case .notFinite(let tensor, let index):
            "tensor \(tensor): expected finite numbers, found an infinity or a NaN at index \(index)"
        default:
            "unreadable"
        }
    }
}
