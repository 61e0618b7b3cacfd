/// Ranks of a few scored sightings, the marks, among any number of others, of which only how many come before each is kept.
///
/// The order is that of answers: by score, and equal scores in order of enrolment.
package struct RankCounter: Sendable {
    /// A score, and whose, by its place in the order of enrolment.
    package struct Mark: Sendable, Equatable {
        /// A cosine.
        package let score: Float
        /// Its place.
        package let place: Int

        /// A mark as given.
        package init(score: Float, place: Int) { (self.score, self.place) = (score, place) }

        /// Whether it comes before another.
        package func precedes(_ other: Mark) -> Bool {
            score != other.score ? score > other.score : place < other.place
        }
    }

    /// Best first.
    package let marks: [Mark]
    /// Others that come right before a mark, and after the one before it.
    private var between: [Int]

    /// Without others. O(marks · log marks).
    package init(_ marks: [Mark]) {
        self.marks = marks.sorted { $0.precedes($1) }
        between = [Int](repeating: 0, count: marks.count)
    }

    /// Counts another. O(log marks).
    package mutating func count(_ other: Mark) {
        guard let last = marks.last, other.precedes(last) else { return }
        var (low, high) = (0, marks.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if other.precedes(marks[middle]) { high = middle } else { low = middle + 1 }
        }
        between[low] += 1
    }

    /// How many others come before each mark.
    package var ahead: [Int] {
        var sum = 0
        return between.map { count in
            sum += count
            return sum
        }
    }
}
