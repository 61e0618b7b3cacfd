import Foundation
import Inference

/// LLCM (Zhang and Wang, CVPR 2023): people by nine cameras, visible and near infrared. Both directions are measured, ten
/// times with one gallery image of each identity and camera.
struct LLCMLayout: DatasetLayout {
    let name = "llcm"
    let signature = "idx/{train_vis,train_nir,test_id}.txt and test_{vis,nir}/cam<k>/<identity>/"
    let modalities: [Modality] = [.rgb, .nir]
    let isPaired = false

    private static func kind(_ modality: Modality) -> String { modality == .rgb ? "vis" : "nir" }

    func isLaidOut(in root: URL) -> Bool {
        ["idx/train_vis.txt", "idx/train_nir.txt", "test_vis", "test_nir"].contains {
            Folder.exists(root.appendingPathComponent($0))
        }
    }

    /// Queries are near infrared, the gallery is visible.
    func list(_ split: TriplesDataset.Split, in root: URL) throws(DatasetError) -> SplitListing {
        var listing = SplitListing()
        guard split == .train else {
            try addTest(split == .query ? .nir : .rgb, root, to: &listing)
            return listing
        }
        for modality in modalities { try addTrain(modality, root, to: &listing) }
        return listing
    }

    private func addTrain(_ modality: Modality, _ root: URL, to listing: inout SplitListing) throws(DatasetError) {
        let list = root.appendingPathComponent("idx/train_\(Self.kind(modality)).txt")
        for line in try ListFile.lines(list) {
            let parts = line.path.split(separator: "/")
            guard let camera = parts.last?.firstMatch(of: /_c(\d+)_/).flatMap({ Int($0.1) }), parts.count >= 2 else {
                listing.note(
                    .misnamed, line.path, "expected a path such as nir/0250/0250_c06_s195701_f13335_nir.jpg")
                continue
            }
            listing.addListed(
                root.appendingPathComponent(line.path), modality, name: line.name,
                .init(identity: String(parts[parts.count - 2]), camera: camera), list: list)
        }
    }

    private func addTest(_ modality: Modality, _ root: URL, to listing: inout SplitListing) throws(DatasetError) {
        let test = root.appendingPathComponent("test_\(Self.kind(modality))")
        for identity in try IdentityList.read(root.appendingPathComponent("idx/test_id.txt")) {
            for camera in 1...9 {
                listing.add(folder: test.appendingPathComponent("cam\(camera)/\(identity)"), camera, identity) {
                    modality
                }
            }
        }
    }

    func tasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask] {
        let (infrared, visible) = (try dataset.sightings(.query), try dataset.sightings(.gallery))
        return [("nir to rgb", infrared, visible), ("rgb to nir", visible, infrared)].map {
            RetrievalTask(
                name: $0.0, queries: $0.1, galleries: RetrievalTask.drawn(from: $0.2, shots: 1, trials: 10),
                rule: rule, isDeduplicated: true)
        }
    }

    func mixedTasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask] {
        RetrievalTask.mixed(
            [("nir", try dataset.sightings(.query)), ("rgb", try dataset.sightings(.gallery))], shots: 1)
    }
}
