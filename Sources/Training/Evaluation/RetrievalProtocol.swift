/// Which items of a gallery are ranked for a query.
///
/// All but the first are MixER's, for galleries of single images of any modality.
public enum RetrievalProtocol: String, CaseIterable, Sendable {
    /// Not the query's own identity from the query's own camera: the field's common protocol.
    case standard
    /// All but the query itself.
    case mix
    /// Nothing from the query's camera.
    case mixCam = "mix-cam"
    /// Not the query's own identity in the query's own modality.
    case mixID = "mix-id"
    /// Not the query's own identity from the query's own camera.
    case mixCamID = "mix-cam-id"

    /// Whether an item is ranked for a query.
    public func ranks(_ item: RetrievalMetrics.Item, for query: RetrievalMetrics.Item) -> Bool {
        let isQuery = item.name != nil && item == query
        let isSameIdentity = item.identity == query.identity
        return switch self {
        case .standard: !(isSameIdentity && item.camera == query.camera)
        case .mix: !isQuery
        case .mixCam: !isQuery && item.camera != query.camera
        case .mixID: !isQuery && !(isSameIdentity && item.modality == query.modality)
        case .mixCamID: !isQuery && !(isSameIdentity && item.camera == query.camera)
        }
    }
}
