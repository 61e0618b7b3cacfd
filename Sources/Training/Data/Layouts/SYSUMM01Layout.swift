import Foundation
import Inference
import Randomness

/// SYSU-MM01 (Wu et al., ICCV 2017): people by four visible and two infrared cameras. Both identity lists that are not the
/// test's are learned from, as the field does; the gallery's images are drawn as in Ye et al.'s code.
struct SYSUMM01Layout: DatasetLayout {
    let name = "sysu-mm01"
    let signature = "cam{1..6}/0001/0001.jpg and exp/{train,val,test}_id.txt"
    let modalities: [Modality] = [.rgb, .nir]
    let isPaired = false
    let rule = RetrievalProtocol.sysu

    private static let visible = [1, 2, 4, 5]
    private static let infrared = [3, 6]

    func isLaidOut(in root: URL) -> Bool {
        Folder.exists(root.appendingPathComponent("exp"))
            && (1...6).contains { Folder.exists(root.appendingPathComponent("cam\($0)")) }
    }

    func list(_ split: TriplesDataset.Split, in root: URL) throws(DatasetError) -> SplitListing {
        list(
            try identities(split, root),
            cameras: split == .train ? Array(1...6) : split == .query ? Self.infrared : Self.visible, in: root)
    }

    /// Its second list, from which models are learned too unless it is held out.
    func listValidation(in root: URL) throws(DatasetError) -> SplitListing? {
        list(
            try IdentityList.read(root.appendingPathComponent("exp/val_id.txt")), cameras: Array(1...6), in: root)
    }

    private func list(_ identities: [String], cameras: [Int], in root: URL) -> SplitListing {
        var listing = SplitListing()
        for identity in identities {
            for camera in cameras {
                listing.add(folder: root.appendingPathComponent("cam\(camera)/\(identity)"), camera, identity) {
                    Self.infrared.contains(camera) ? .nir : .rgb
                }
            }
        }
        return listing
    }

    private func identities(_ split: TriplesDataset.Split, _ root: URL) throws(DatasetError) -> [String] {
        let exp = root.appendingPathComponent("exp")
        guard split == .train else { return try IdentityList.read(exp.appendingPathComponent("test_id.txt")) }
        let validation = exp.appendingPathComponent("val_id.txt")
        return try IdentityList.read(exp.appendingPathComponent("train_id.txt"))
            + (Folder.exists(validation) ? IdentityList.read(validation) : [])
    }

    func tasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask] {
        let (queries, gallery) = (try dataset.sightings(.query), try dataset.sightings(.gallery))
        return [("all", Self.visible), ("indoor", [1, 2])].flatMap { search, cameras in
            let seen = gallery.filter { cameras.contains($0.camera) }
            return [1, 10].map { shots in
                RetrievalTask(
                    name: "nir to rgb, \(search) search, \(shots) shot\(shots == 1 ? "" : "s")", queries: queries,
                    galleries: RetrievalTask.drawn(from: seen, shots: shots, trials: 10), rule: rule,
                    isDeduplicated: true)
            }
        }
    }

    /// All search with one shot, of the infrared cameras too (MixER, table B.1).
    func mixedTasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask] {
        RetrievalTask.mixed(
            [("nir", try dataset.sightings(.query)), ("rgb", try dataset.sightings(.gallery))], shots: 1)
    }
}

extension SplitListing {
    /// Adds the images that one camera took of one identity.
    mutating func add(folder: URL, _ camera: Int, _ identity: String, _ modality: () -> Modality) {
        let parent = folder.deletingLastPathComponent()
        let pattern = NamePattern(example: "0001.jpg") { _ in Passage(identity: identity, camera: camera) }
        add([(modality(), folder)], prefix: "\(parent.lastPathComponent)/\(identity)/", pattern)
    }
}

/// Identities of a list as SYSU-MM01 and LLCM have them: numbers separated by commas, in one line.
enum IdentityList {
    /// With four digits, as the folders are named, sorted. Throws `DatasetError`.
    static func read(_ url: URL) throws(DatasetError) -> [String] {
        let text = try ListFile.text(url).trimmingCharacters(in: .whitespacesAndNewlines.union([","]))
        guard !text.isEmpty else { throw .empty(url.path, "identities separated by commas") }
        var identities: [String] = []
        for (index, field) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            let field = field.trimmingCharacters(in: .whitespacesAndNewlines)
            guard let number = Int(field), number >= 0 else {
                throw .unreadableLine(
                    url.path, line: 1, expected: "identities as numbers separated by commas",
                    found: "'\(field)' as number \(index + 1)")
            }
            identities.append(String(format: "%04d", number))
        }
        return identities.sorted()
    }
}
