import Documents
import Foundation
import Gallery
import Serving
import ServingFixtures
import Testing

@Suite("Imports that were cut off")
struct ImportTests {
    @Test("what a crash cut off goes on at the next start, adds nothing twice, and leaves no file")
    func resumed() async throws {
        try await World.run { world in
            _ = try await world.stack.gallery.createGallery("g")
            let lines = try (0..<10).map { number in
                let image = try picture(number).base64EncodedString()
                return "{\"identity\": \"i\(number)\", \"images\": {\"rgb\": \"\(image)\"}}"
            }
            // As a crash leaves it: a job that runs, its file, and some of it enrolled.
            let (file, job) = try await world.stack.imports.receive(for: "g")
            try file.append(Data(lines[..<4].joined(separator: "\n").utf8))
            let first = try await world.stack.imports.start(file, job, in: "g")
            #expect(try await world.ended(first.record.id).record.state == .succeeded)
            let (again, cutOff) = try await world.stack.imports.receive(for: "g")
            try again.append(Data(lines.joined(separator: "\n").utf8))
            try again.finish(gallery: "g")
            try await world.stack.gallery.ledger.save(cutOff)
            let (stray, _) = try await world.stack.imports.receive(for: "g")
            try stray.append(Data("never finished".utf8))

            try await world.stack.models.resumeJobs()
            let ended = try await world.ended(cutOff.id).record
            #expect(ended.state == .succeeded && ended.result?.contains("\"enrolled\":6") == true, "\(ended)")
            #expect(try await world.stack.gallery.gallery("g").sightings == 10)
            let left = try FileManager.default.contentsOfDirectory(atPath: world.stack.gallery.path + "-imports")
            #expect(left.isEmpty)
        }
    }

    @Test("an archive that a crash cut off is found again and goes on")
    func resumedArchive() async throws {
        try await World.run { world in
            _ = try await world.stack.gallery.createGallery("g")
            let line = Data(#"{"identity": "a", "files": {"rgb": "1.jpg"}}"#.utf8)
            let (file, job) = try await world.stack.imports.receive(.archive, for: "g")
            for (name, bytes) in [("lines.ndjson", line), ("1.jpg", try picture(1))] {
                try file.append(
                    Data(TarWriter.header(name, size: bytes.count)) + bytes + TarWriter.padding(bytes.count))
            }
            try file.append(Data(TarWriter.end))
            try file.finish(gallery: "g")
            try await world.stack.gallery.ledger.save(job)
            try await world.stack.models.resumeJobs()
            let ended = try await world.ended(job.id).record
            #expect(ended.result?.contains("\"enrolled\":1") == true, "\(ended)")
        }
    }

    @Test("a job whose file is gone fails and says so")
    func gone() async throws {
        try await World.run { world in
            let job = JobRecord(kind: "import")
            try await world.stack.gallery.ledger.save(job)
            try await world.stack.models.resumeJobs()
            let ended = try await world.ended(job.id).record
            #expect(ended.state == .failed && ended.reason?.contains("is gone") == true)
        }
    }
}
