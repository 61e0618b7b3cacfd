import Synchronization

/// The indexes of a store: one for each gallery and model that has vectors.
final class IndexRegistry: Sendable {
    struct Key: Hashable, Sendable {
        let gallery: Int64
        let model: String
    }

    private let indexes = Mutex<[Key: ExactIndex]>([:])

    func index(gallery: Int64, model: String) -> ExactIndex? {
        indexes.withLock { $0[Key(gallery: gallery, model: model)] }
    }

    /// The models that have vectors in a gallery, sorted.
    func models(of gallery: Int64) -> [String] {
        indexes.withLock { $0.filter { $0.key.gallery == gallery && $0.value.count > 0 }.map(\.key.model).sorted() }
    }

    /// False if the entry's is not a unit vector.
    @discardableResult func append(_ entry: IndexEntry, to key: Key) -> Bool {
        let index = indexes.withLock { indexes in
            let index = indexes[key] ?? ExactIndex(dimension: entry.vector.count / 4)
            indexes[key] = index
            return index
        }
        return index.append(entry)
    }

    func remove(sighting: Int64, gallery: Int64) {
        for index in indexes(of: gallery) { index.remove(sightings: [sighting]) }
    }

    func remove(identity: Int64, gallery: Int64) {
        for index in indexes(of: gallery) { index.remove(identity: identity) }
    }

    func remove(gallery: Int64) {
        indexes.withLock { $0 = $0.filter { $0.key.gallery != gallery } }
    }

    func remove(model: String) {
        indexes.withLock { $0 = $0.filter { $0.key.model != model } }
    }

    private func indexes(of gallery: Int64) -> [ExactIndex] {
        indexes.withLock { $0.filter { $0.key.gallery == gallery }.map(\.value) }
    }
}
