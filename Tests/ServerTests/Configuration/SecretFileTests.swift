import Foundation
import Server
import Testing

@Suite("Files of secrets")
struct SecretFileTests {
    private func read(_ contents: String, mode: Int = 0o600) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(contents.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        return try SecretFile.read(file.path, for: "webhooks.secret_file")
    }

    @Test("a secret is what its file holds, but for one newline at its end")
    func contents() throws {
        #expect(try read("abc") == "abc" && read("abc\n", mode: 0o400) == "abc" && read("abc\r\n") == "abc")
        #expect(try read(" a b \n\n") == " a b \n")
    }

    @Test("a file that others can read, that is empty or is not there is refused, and its secret is not said")
    func refused() throws {
        for mode in [0o640, 0o604, 0o644, 0o620] {
            let error = #expect(throws: ServerError.self) { try read("abc", mode: mode) }
            let text = error.map { "\($0)" } ?? ""
            #expect(text.hasPrefix("webhooks.secret_file: ") && text.contains("mode 0\(String(mode, radix: 8))"))
            #expect(!text.contains("abc"))
        }
        #expect(throws: ServerError.self) { try read("") }
        #expect(throws: ServerError.self) { try read("\n") }
        #expect(throws: ServerError.self) { try SecretFile.read("/nowhere/secret", for: "webhooks.secret_file") }
    }
}
