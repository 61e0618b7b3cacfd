import Documents
import Foundation

/// Parses whatever bytes libFuzzer makes as JSON. What is accepted, Foundation's laxer parser accepts too.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard (try? JSONParser.parse(bytes)) != nil else { return 0 }
    do {
        _ = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    } catch {
        preconditionFailure("accepted what Foundation refuses: \(error)")
    }
    return 0
}
