import Foundation
import Imaging
import Synchronization
import Synthesis
import Testing

/// Runs `body` with a directory of its own, which is removed afterwards.
private func withScratch(_ body: (URL) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("synthesis-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url)
}

private func contents(_ directory: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
}

struct DatasetWriterTests {
    private func parameters(seed: UInt64 = 21) throws -> SynthesisParameters {
        try SynthesisParameters(identities: 4, cameras: 2, sightings: 2, height: 24, width: 48, seed: seed)
    }

    private func files(_ root: URL) throws -> [String: Data] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: root.path)
        return try names.reduce(into: [:]) { files, name in
            let url = root.appendingPathComponent(name)
            if !url.hasDirectoryPath { files[name] = try Data(contentsOf: url) }
        }
    }

    private func refusal(_ body: () throws -> Void) throws -> SynthesisError {
        try #require(throws: SynthesisError.self) { try body() }
    }

    @Test("All pictures are where they should be, and can be decoded at their size")
    func layout() throws {
        try withScratch { scratch in
            let output = scratch.appendingPathComponent("set")
            try DatasetWriter(try parameters()).write(to: output)
            let files = try files(output)
            #expect(files.count == 4 * 2 * 2 * 3 + 4 + 1)
            let captions = try #require(files["query/text/0004.txt"].map { String(decoding: $0, as: UTF8.self) })
            let vehicle = VehicleIdentity(number: 4, seed: 21)
            #expect(captions.split(separator: "\n").map(String.init) == vehicle.captions)
            #expect(captions.contains(vehicle.body.rawValue) && captions.contains(vehicle.visible.paint.rawValue))
            #expect(files.keys.count { $0.hasPrefix("train/rgb/") } == 12)
            #expect(files.keys.count { $0.hasPrefix("query/nir/") } == 2)
            #expect(files.keys.count { $0.hasPrefix("gallery/tir/") } == 2)
            for modality in ["rgb", "nir", "tir"] {
                let bytes = try #require(files["query/\(modality)/0004_c2_001.jpg"])
                let image = try ImageDecoder().decode(bytes)
                #expect(image.width == 48 && image.height == 24)
                #expect(Set(image.pixels).count > 30)
            }
            #expect(try contents(scratch) == ["set"])
        }
    }

    @Test("As RGBNT100, the three pictures of a triple are side by side in one, under its names")
    func strips() throws {
        try withScratch { scratch in
            let (plain, output) = (scratch.appendingPathComponent("plain"), scratch.appendingPathComponent("set"))
            try DatasetWriter(try parameters()).write(to: plain)
            try DatasetWriter(try parameters(), as: .rgbnt100).write(to: output)
            let files = try files(output)
            #expect(files.count == 4 * 2 * 2 + 1)
            #expect(files.keys.count { $0.hasPrefix("rgbir/bounding_box_train/") } == 12)
            #expect(files.keys.count { $0.hasPrefix("rgbir/bounding_box_test/") } == 2)
            let strip = try ImageDecoder().decode(try #require(files["rgbir/query/0004_c0002_001.jpg"]))
            #expect(strip.width == 3 * 48 && strip.height == 24)
            for (index, modality) in ["rgb", "nir", "tir"].enumerated() {
                let single = try ImageDecoder().decode(
                    Data(contentsOf: plain.appendingPathComponent("query/\(modality)/0004_c2_001.jpg")))
                let tile = strip.cropped(to: .init(x: 48 * index, y: 0, width: 48, height: 24))
                // Whole blocks: only grey may differ, by a rounding, from grey that was encoded as colours.
                let worst = zip(single.pixels, tile.pixels).map { abs(Int($0) - Int($1)) }.max()
                #expect(try #require(worst) <= 2, "\(modality)")
            }
        }
    }

    @Test("dataset.json tells seed, sizes and counts")
    func manifest() throws {
        try withScratch { scratch in
            let output = scratch.appendingPathComponent("set")
            let manifest = try DatasetWriter(try parameters()).write(to: output)
            #expect(manifest.identities.train == 3 && manifest.identities.test == 1)
            #expect(manifest.triples.values.reduce(0) { $0 + $1.total } == 16)
            let bytes = try Data(contentsOf: output.appendingPathComponent("dataset.json"))
            let json = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
            let written = try #require(json["parameters"] as? [String: Any])
            #expect(written["seed"] as? Int == 21)
            #expect(written["width"] as? Int == 48)
            let triples = try #require(json["triples"] as? [String: [String: Int]])
            #expect(triples["train"]?["total"] == 12)
            #expect(triples["query"]?["total"] == 2)
            #expect(json["provenance"] is String)
        }
    }

    @Test("The same seed gives the same bytes on any number of threads; another seed gives others")
    func reproducible() throws {
        try withScratch { scratch in
            let outputs = try [(UInt64(21), 1), (21, 2), (21, 3), (22, 2)].enumerated().map { index, run in
                let output = scratch.appendingPathComponent("set\(index)")
                try DatasetWriter(try parameters(seed: run.0), threads: run.1).write(to: output)
                return try files(output)
            }
            #expect(outputs[0] == outputs[1])
            #expect(outputs[0] == outputs[2])
            #expect(outputs[0].allSatisfy { outputs[3][$0.key] != $0.value })
        }
    }

    @Test("Progress counts every triple once")
    func progress() throws {
        try withScratch { scratch in
            let seen = Mutex<[Int]>([])
            try DatasetWriter(try parameters()).write(to: scratch.appendingPathComponent("set")) { done, total in
                #expect(total == 16)
                seen.withLock { $0.append(done) }
            }
            #expect(seen.withLock { $0 } == Array(1...16))
        }
    }

    @Test("An empty directory is filled; one with contents, or a file, is refused and left alone")
    func occupied() throws {
        try withScratch { scratch in
            let writer = DatasetWriter(try parameters())
            let empty = scratch.appendingPathComponent("empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: false)
            try writer.write(to: empty)
            #expect(try refusal { try writer.write(to: empty) } == .outputNotEmpty(path: empty.path))
            let file = scratch.appendingPathComponent("file")
            try Data("kept".utf8).write(to: file)
            #expect(try refusal { try writer.write(to: file) } == .outputNotADirectory(path: file.path))
            #expect(try Data(contentsOf: file) == Data("kept".utf8))
            #expect(try contents(scratch) == ["empty", "file"])
        }
    }

    @Test("A path whose parent does not exist is refused")
    func missingParent() throws {
        try withScratch { scratch in
            let output = scratch.appendingPathComponent("no/such/set")
            let error = try refusal { try DatasetWriter(try parameters()).write(to: output) }
            guard case .writing = error else {
                Issue.record("unexpected \(error)")
                return
            }
            #expect(try contents(scratch).isEmpty)
        }
    }

    @Test("A directory that is filled while the job runs is kept, and the job leaves nothing behind")
    func filledMeanwhile() throws {
        try withScratch { scratch in
            let output = scratch.appendingPathComponent("set")
            let error = try refusal {
                try DatasetWriter(try parameters()).write(to: output) { done, _ in
                    guard done == 5 else { return }
                    try? FileManager.default.createDirectory(at: output, withIntermediateDirectories: false)
                    try? Data("kept".utf8).write(to: output.appendingPathComponent("other"))
                }
            }
            guard case .writing = error else {
                Issue.record("unexpected \(error)")
                return
            }
            #expect(try files(output) == ["other": Data("kept".utf8)])
            #expect(try contents(scratch) == ["set"])
        }
    }

    @Test("A cancelled job leaves nothing behind")
    func cancelled() throws {
        try withScratch { scratch in
            let output = scratch.appendingPathComponent("set")
            let done = Atomic(0)
            let error = try refusal {
                try DatasetWriter(try parameters()).write(
                    to: output, progress: { count, _ in done.store(count, ordering: .relaxed) },
                    isCancelled: { done.load(ordering: .relaxed) >= 4 })
            }
            #expect(error == .cancelled)
            #expect(try contents(scratch).isEmpty)
        }
    }
}
