import Foundation
import Imaging
import Testing

@Suite("Commands for data sets")
struct DatasetCommandTests {
    @Test("RGBNT100's layout is rendered, checked, drawn, learned from and measured, without a conversion")
    func published() async throws {
        let world = try await World()
        let data = world.folder.path("strips")
        try await world.triptych.succeed(
            "synthesize", "--layout", "rgbnt100", "--output", data, "--identities", "8", "--cameras", "2",
            "--sightings",
            "2", "--height", "32", "--width", "64")
        let checked = try await world.triptych.succeed("dataset", "check", data, "--decode")
        #expect(checked.contains("layout: rgbnt100") && checked.contains("nothing is wrong"))
        let sheet = world.folder.path("sheet.png")
        try await world.triptych.succeed("dataset", "sheet", data, "--output", sheet, "--rows", "3")
        let image = try ImageDecoder().decode(Data(contentsOf: URL(fileURLWithPath: sheet)))
        // Two cameras of three modalities, 96 columns each; three rows of 48.
        #expect(image.width > 6 * 96 && image.height > 3 * 48 && Set(image.pixels).count > 30)
        let run = world.folder.path("strips-run")
        try await world.triptych.succeed(
            "train", "--config", world.folder.path("recipe.yaml"), "--data", data, "--output", run)
        let measured = try await world.triptych.succeed(
            "evaluate", "--checkpoint", "\(run)/model.safetensors", "--data", data)
        #expect(measured.contains("rgb+nir+tir") && measured.contains("random ranking"))
        #expect(measured.contains("4 queries, 0 skipped") && measured.contains("gallery of 4 items\nnot ranked"))
        #expect(measured.contains("the query's identity from its camera"))
    }

    @Test("a data set with errors ends check with status 1 and names them; derive makes one that has none")
    func broken() async throws {
        let world = try await World()
        let derived = world.folder.path("derived")
        try await world.triptych.succeed("dataset", "derive", world.data, "--output", derived)
        #expect(try await world.triptych.succeed("dataset", "check", derived).contains("layout: market-multimodal"))
        try Data("no image".utf8).write(to: URL(fileURLWithPath: "\(derived)/train/NI/0001_c1_001.jpg"))
        let result = try await world.triptych.start(["dataset", "check", derived, "--json"]).result()
        #expect(result.status == 1)
        #expect(result.output.contains("\"undecodable\"") && result.output.contains("NI/0001_c1_001.jpg"))
        let insisted = try await world.triptych.start(["dataset", "check", derived, "--layout", "llcm"]).result()
        #expect(insisted.status != 0 && insisted.error.contains("llcm: idx/"))
    }
}
