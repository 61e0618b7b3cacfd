import Synchronization

/// What the indexes of a store must learn of a transaction.
enum IndexChange: Sendable {
    /// A sighting's vectors of one model, with their row, in place of what there was of them.
    case append(VectorIndex.Entry, row: Int64, to: IndexRegistry.Key, space: VectorSpace)
    /// Sightings of a gallery to an identity.
    case move([Int64], to: Int64, gallery: Int64)
    /// Where and when a sighting was seen.
    case describe(Int64, camera: String?, capturedAt: Int64?, gallery: Int64)
    case removeSightings([Int64], gallery: Int64)
    /// A sighting's vectors of one model.
    case removeVectors(Int64, from: IndexRegistry.Key)
    case removeIdentity(Int64, gallery: Int64)
    case removeGallery(Int64)
    case removeModel(String)
    case replaceModel(String, by: IndexRegistry)
}

/// The indexes of a store: one for each gallery and model that has vectors.
final class IndexRegistry: Sendable {
    struct Key: Hashable, Sendable {
        let gallery: Int64
        let model: String
    }

    private let indexes = Mutex<[Key: VectorIndex]>([:])
    /// Whether vectors are held in memory at all.
    let holds: Bool

    init(holds: Bool = true) { self.holds = holds }

    func index(gallery: Int64, model: String) -> VectorIndex? {
        indexes.withLock { $0[Key(gallery: gallery, model: model)] }
    }

    /// A gallery's, by model.
    func searches(of gallery: Int64) -> [String: any SightingSearch] {
        indexes.withLock { indexes in
            indexes.reduce(into: [:]) { if $1.key.gallery == gallery { $0[$1.key.model] = $1.value } }
        }
    }

    /// False if the entry's vectors have no length.
    @discardableResult func append(_ entry: VectorIndex.Entry, to key: Key, space: VectorSpace) -> Bool {
        if !holds { return true }
        let index = indexes.withLock { indexes in
            let index = indexes[key] ?? VectorIndex(space: space)
            indexes[key] = index
            return index
        }
        return index.append(entry)
    }

    /// Follows a transaction.
    func apply(_ changes: [IndexChange]) {
        if !holds { return }
        for change in changes {
            switch change {
            case .append(let entry, _, let key, let space): append(entry, to: key, space: space)
            case .move(let sightings, let identity, let gallery):
                for index in indexes(of: gallery) {
                    for sighting in sightings { index.move(sighting: sighting, to: identity) }
                }
            case .describe(let sighting, let camera, let capturedAt, let gallery):
                for index in indexes(of: gallery) {
                    index.describe(sighting: sighting, camera: camera, capturedAt: capturedAt)
                }
            case .removeSightings(let sightings, let gallery):
                for index in indexes(of: gallery) { sightings.forEach(index.remove(sighting:)) }
            case .removeVectors(let sighting, let key): indexes.withLock { $0[key] }?.remove(sighting: sighting)
            case .removeIdentity(let identity, let gallery):
                for index in indexes(of: gallery) { index.remove(identity: identity) }
            case .removeGallery(let gallery): keep { $0.gallery != gallery }
            case .removeModel(let model): keep { $0.model != model }
            case .replaceModel(let model, let others): replace(model: model, by: others)
            }
        }
    }

    /// Takes the indexes of another, which nobody else may hold.
    func become(_ other: IndexRegistry) {
        let replacement = other.indexes.withLock { $0 }
        indexes.withLock { $0 = replacement }
    }

    private func keep(_ isKept: (Key) -> Bool) {
        indexes.withLock { $0 = $0.filter { isKept($0.key) } }
    }

    private func replace(model: String, by others: IndexRegistry) {
        let replacement = others.indexes.withLock { $0.filter { $0.key.model == model } }
        indexes.withLock { $0 = $0.filter { $0.key.model != model }.merging(replacement) { $1 } }
    }

    private func indexes(of gallery: Int64) -> [VectorIndex] {
        indexes.withLock { $0.filter { $0.key.gallery == gallery }.map(\.value) }
    }
}
