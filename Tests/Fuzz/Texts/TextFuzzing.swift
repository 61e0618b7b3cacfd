import Documents
import Foundation

/// Reads whatever bytes libFuzzer makes as what the environment's FUZZ says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTexts(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Data(UnsafeBufferPointer(start: start, count: count))
    switch kind {
    case "json": fuzzJSON(bytes)
    case "multipart": fuzzMultipart(bytes)
    case "yaml": fuzzYAML(String(decoding: bytes, as: UTF8.self))
    default: preconditionFailure("expected FUZZ=json, multipart or yaml, found \(kind)")
    }
    return 0
}

private let kind = ProcessInfo.processInfo.environment["FUZZ"] ?? ""

/// What is accepted, Foundation's laxer parser accepts too; and the reader that goes piece by piece takes what the parser
/// takes.
private func fuzzJSON(_ bytes: Data) {
    let value = try? JSONParser.parse(bytes, limits: JSONLimits(nodes: 1000))
    if value != nil {
        do {
            _ = try JSONSerialization.jsonObject(with: bytes, options: .fragmentsAllowed)
        } catch {
            preconditionFailure("accepted what Foundation refuses: \(error)")
        }
    }
    guard bytes.first == UInt8(ascii: "{") else { return }
    var members: [String: JSONValue] = [:]
    var reader = JSONReader(bytes, limits: JSONLimits(nodes: 1000))
    do {
        try reader.object("body") { name, reader throws(DocumentError) in
            if name.hasPrefix("image") { _ = try reader.base64(name) } else { members[name] = try reader.value() }
        }
        try reader.end()
    } catch {
        return
    }
    precondition(value?.object?.filter { !$0.key.hasPrefix("image") } == members, "read otherwise piece by piece")
}

/// The first line is the content type.
private func fuzzMultipart(_ bytes: Data) {
    let type = bytes.prefix { $0 != UInt8(ascii: "\n") }
    guard let parser = try? MultipartParser(contentType: String(decoding: type, as: UTF8.self), mostParts: 16),
        let parts = try? parser.parts(of: bytes.dropFirst(type.count + 1))
    else { return }
    precondition(parts.count <= 16 && parts.reduce(0) { $0 + $1.bytes.count } <= bytes.count)
}

/// What is accepted can be written and read again.
private func fuzzYAML(_ text: String) {
    guard let value = try? YAMLDocument.parse(text), let written = try? YAMLDocument.text(value) else { return }
    precondition((try? YAMLDocument.parse(written)) == value, "what was written is not read")
}
