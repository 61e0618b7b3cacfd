import Documents
import Foundation
import Imaging
import Inference
import Training
import TriptychClient

/// Draws some queries and their best matches, whose images come from the server.
struct RankingSheet {
    let gallery: GalleryClient
    let modalities: [Inference.Modality]
    private let rows = 10
    private let columns = 6

    init(gallery: GalleryClient, modalities: [Inference.Modality]) {
        (self.gallery, self.modalities) = (gallery, modalities)
    }

    /// Writes a JPEG file with queries spread evenly over all that were asked.
    func write(_ answers: [(TriplesDataset.Sighting, QueryResult)], to path: String) async throws {
        let count = min(rows, answers.count)
        var cells: [[ContactSheet.Cell]] = []
        for row in 0..<count {
            let (query, answer) = answers[row * answers.count / count]
            cells.append(try await self.row(query, answer))
        }
        let sheet = ContactSheet(tile: (width: 128, height: 64)).draw(cells)
        try DurableFile.write(try JPEGEncoder.encode(sheet, quality: 88), to: path)
    }

    private func row(_ query: TriplesDataset.Sighting, _ answer: QueryResult) async throws -> [ContactSheet.Cell] {
        let own = try modalities.map { try query.files[$0]?.image() }
        var cells = [ContactSheet.Cell(images: own, border: .query)]
        // As in the metrics, matches of the query's own camera are not shown.
        let ranked = answer.matches.filter { $0.identity != query.identity || $0.camera != "\(query.camera)" }
        for match in ranked.prefix(columns) {
            var images: [Image?] = []
            for modality in modalities { images.append(try await image(match, modality)) }
            cells.append(
                ContactSheet.Cell(images: images, border: match.identity == query.identity ? .right : .wrong))
        }
        return cells
    }

    /// A kept image, or nil if the server does not have it.
    private func image(_ match: Match, _ modality: Inference.Modality) async throws -> Image? {
        guard let named = TriptychClient.Modality(rawValue: modality.rawValue) else { return nil }
        do {
            return try ImageDecoder().decode(await gallery.image(match.reference, named))
        } catch let problem as Problem where problem.status == 404 {
            return nil
        }
    }
}
