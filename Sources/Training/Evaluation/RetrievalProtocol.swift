/// Which items of a gallery are ranked for a query.
///
/// Those that begin with "mix", and the last two, are MixER's, for galleries of single images of any modality.
public enum RetrievalProtocol: String, CaseIterable, Sendable {
    /// Not the query's own identity from the query's own camera: the field's common protocol.
    case standard
    /// Not the query's own identity from the query's own scene (MSVR310), or from its camera where one of the two has no scene.
    case scene
    /// Nothing of camera 2 for queries of camera 3, which stand at one place (SYSU-MM01).
    case sysu
    /// Everything (RegDB).
    case everything = "all"
    /// All but the query itself.
    case mix
    /// Nothing from the query's camera.
    case mixCam = "mix-cam"
    /// Not the query's own identity in the query's own modality.
    case mixID = "mix-id"
    /// Not the query's own identity from the query's own camera.
    case mixCamID = "mix-cam-id"
    /// Images of other modalities than the query's alone, and not its identity from its camera.
    case crossModal = "cross-modal"
    /// Images of the query's modality alone, and not its identity from its camera.
    case uniModal = "uni-modal"

    /// Whether an item is ranked for a query.
    public func ranks(_ item: RetrievalMetrics.Item, for query: RetrievalMetrics.Item) -> Bool {
        let isQuery = item.name != nil && item == query
        let isSameIdentity = item.identity == query.identity
        return switch self {
        case .standard: !(isSameIdentity && item.camera == query.camera)
        case .scene: !(isSameIdentity && item.isOfScene(of: query))
        case .sysu: !(query.camera == 3 && item.camera == 2)
        case .everything: true
        case .mix: !isQuery
        case .mixCam: !isQuery && item.camera != query.camera
        case .mixID: !isQuery && !(isSameIdentity && item.modality == query.modality)
        case .mixCamID: !isQuery && !(isSameIdentity && item.camera == query.camera)
        case .crossModal: item.modality != query.modality && !(isSameIdentity && item.camera == query.camera)
        case .uniModal: item.modality == query.modality && !(isSameIdentity && item.camera == query.camera)
        }
    }
}

extension RetrievalProtocol {
    /// Those that rank single images.
    public static let mixed: [RetrievalProtocol] = [
        .mix, .mixCam, .mixID, .mixCamID, .crossModal, .uniModal,
    ]

    /// What is not ranked for a query, in words.
    public var notRanked: String {
        switch self {
        case .standard, .mixCamID: "the query's identity from its camera"
        case .scene: "the query's identity from its scene, or its camera where no scene is given"
        case .sysu: "images of camera 2 for queries of camera 3"
        case .everything: "nothing left out"
        case .mix: "the query itself"
        case .mixCam: "images of the query's camera"
        case .mixID: "the query's identity in its modality"
        case .crossModal: "images of the query's modality, and its identity from its camera"
        case .uniModal: "images of other modalities than the query's, and its identity from its camera"
        }
    }
}

extension RetrievalMetrics.Item {
    /// A sighting's, as a triple.
    public init(_ sighting: TriplesDataset.Sighting) {
        self.init(identity: sighting.identity, camera: sighting.camera, scene: sighting.scene)
    }

    fileprivate func isOfScene(of query: RetrievalMetrics.Item) -> Bool {
        guard let scene, let other = query.scene else { return camera == query.camera }
        return scene == other
    }
}
