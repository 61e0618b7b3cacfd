import Foundation
import Import
import Inference

/// Reads whatever bytes libFuzzer makes as what the environment's FUZZ says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzModels(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    switch kind {
    case "checkpoint":
        guard let checkpoint = try? Checkpoint.load(path: inputFile.path(of: bytes)) else { return 0 }
        _ = checkpoint.parts
    // Foundation leaks a page for each empty file that it reads.
    case "weights": if count > 0 { _ = try? ForeignWeights(path: inputFile.path(of: bytes)) }
    case "configuration": fuzzConfiguration(String(decoding: bytes, as: UTF8.self))
    default: preconditionFailure("expected FUZZ=checkpoint, weights or configuration, found \(kind)")
    }
    return 0
}

/// What is accepted can be written and read again, and reckoned with.
private func fuzzConfiguration(_ json: String) {
    guard let configuration = try? ModelConfiguration(json: json) else { return }
    guard let copy = try? ModelConfiguration(json: configuration.json()) else {
        preconditionFailure("what was written is not read")
    }
    precondition(copy == configuration)
    precondition(configuration.backboneMultiplyAdds > 0)
}

private let kind = ProcessInfo.processInfo.environment["FUZZ"] ?? ""
private let inputFile = InputFile()

/// A file in memory, for readers that take a path.
private struct InputFile {
    private let descriptor: Int32

    init() {
        // Removed at once: it is there as long as the process, under another name.
        let path = "/dev/shm/triptych-fuzzing-\(getpid())"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        unlink(path)
    }

    /// The path of a file with these bytes.
    func path(of bytes: UnsafeRawBufferPointer) -> String {
        let isCut = ftruncate(descriptor, 0) == 0
        precondition(isCut && pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count)
        return "/proc/self/fd/\(descriptor)"
    }
}
