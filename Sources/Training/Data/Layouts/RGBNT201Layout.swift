import Inference

/// RGBNT201 (Zheng et al., AAAI 2021): people; every test image is query and gallery.
struct RGBNT201Layout: ModalityFolderLayout {
    let name = "rgbnt201"
    let signature = "{train_171,test}/{RGB,NI,TI}/000258_cam1_0_00.jpg"

    private static let pattern = SplitListing.NamePattern(example: "000258_cam1_0_00.jpg") { name in
        guard let parts = name.prefixMatch(of: /(\d{6})_cam(\d)/), let camera = Int(parts.2) else { return nil }
        return .init(identity: String(parts.1), camera: camera)
    }

    let folders = ModalityFolders.upper
    var pattern: SplitListing.NamePattern { Self.pattern }

    func folder(of split: TriplesDataset.Split) -> String { split == .train ? "train_171" : "test" }
}
