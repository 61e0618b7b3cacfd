import Randomness

/// The sightings of an index at one moment, with what a protocol must know of them.
struct GalleryRoster: Sendable {
    /// A sighting, and whose it was and where it was seen, by ordinals of the index; the camera is −1 if unknown.
    struct Member: Sendable {
        let sighting: Int64
        let identity: Int32
        let camera: Int32
    }

    /// In order of enrolment.
    let members: [Member]
    /// By row, of which the ordinals are the values.
    let identities: [Int64: Int32]
    /// What their vectors are.
    let space: VectorSpace

    /// The places of each identity's members, by its ordinal. O(members).
    func relatives() -> [Int32: [Int]] { Dictionary(grouping: members.indices) { members[$0].identity } }

    /// So many places at random, each as likely as any other, sorted. O(members).
    func sample(_ count: Int, seed: UInt64) -> [Int] {
        var generator = SplitMix64(seed: seed)
        var places = Array(members.indices)
        let count = min(count, places.count)
        for index in 0..<count { places.swapAt(index, index + generator.index(below: places.count - index)) }
        return places.prefix(count).sorted()
    }

    /// So many places, sorted: one of each identity, in random order, then another of each that has more, and so on, so that
    /// identities of a few sightings are not lost among those of many. O(members).
    func balancedSample(_ count: Int, seed: UInt64) -> [Int] {
        var generator = SplitMix64(seed: seed)
        let groups = generator.shuffled(relatives().sorted { $0.key < $1.key }.map(\.value))
            .map { generator.shuffled($0) }
        var (places, round, open) = ([Int](), 0, groups)
        while places.count < count && !open.isEmpty {
            places += open.prefix(count - places.count).map { $0[round] }
            round += 1
            open.removeAll { $0.count <= round }
        }
        return places.sorted()
    }
}
