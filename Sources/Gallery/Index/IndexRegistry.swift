import Synchronization

/// The indexes of a store: one for each gallery and model that has vectors.
final class IndexRegistry: Sendable {
    struct Key: Hashable, Sendable {
        let gallery: Int64
        let model: String
    }

    private let indexes = Mutex<[Key: VectorIndex]>([:])

    func index(gallery: Int64, model: String) -> VectorIndex? {
        indexes.withLock { $0[Key(gallery: gallery, model: model)] }
    }

    /// The models that have vectors in a gallery, sorted.
    func models(of gallery: Int64) -> [String] {
        indexes.withLock { $0.filter { $0.key.gallery == gallery && $0.value.count > 0 }.map(\.key.model).sorted() }
    }

    /// False if the entry's vectors have no length.
    @discardableResult func append(_ entry: VectorIndex.Entry, to key: Key, space: VectorSpace) -> Bool {
        let index = indexes.withLock { indexes in
            let index = indexes[key] ?? VectorIndex(space: space)
            indexes[key] = index
            return index
        }
        return index.append(entry)
    }

    func move(sighting: Int64, to identity: Int64, gallery: Int64) {
        for index in indexes(of: gallery) { index.move(sighting: sighting, to: identity) }
    }

    func remove(sighting: Int64, gallery: Int64) {
        for index in indexes(of: gallery) { index.remove(sighting: sighting) }
    }

    func remove(sighting: Int64, from key: Key) {
        indexes.withLock { $0[key] }?.remove(sighting: sighting)
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

    /// Exchanges the indexes of a model for others.
    func replace(model: String, by others: IndexRegistry) {
        let replacement = others.indexes.withLock { $0.filter { $0.key.model == model } }
        indexes.withLock { $0 = $0.filter { $0.key.model != model }.merging(replacement) { $1 } }
    }

    private func indexes(of gallery: Int64) -> [VectorIndex] {
        indexes.withLock { $0.filter { $0.key.gallery == gallery }.map(\.value) }
    }
}
