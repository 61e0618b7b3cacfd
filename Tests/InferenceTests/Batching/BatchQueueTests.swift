import Inference
import Testing

@Suite("Which requests are computed together")
struct BatchQueueTests {
    private func queue(_ kinds: String) -> BatchQueue<Character, Int> {
        kinds.enumerated().reduce(into: BatchQueue(most: 3)) { $0.add($1.offset, kind: $1.element) }
    }

    private func batches(_ kinds: String, without: Set<Int> = []) -> [[Int]] {
        var queue = queue(kinds)
        var batches: [[Int]] = []
        while let batch = queue.next(isWanted: { !without.contains($0) }) { batches.append(batch.requests) }
        return batches
    }

    @Test("the oldest comes first, with those of its kind behind it, up to the largest batch")
    func order() {
        #expect(batches("aabaaab") == [[0, 1, 3], [2, 6], [4, 5]])
        #expect(batches("abc") == [[0], [1], [2]])
        #expect(batches("") == [])
    }

    @Test("a request that nobody waits for any more takes no place")
    func unwanted() {
        #expect(batches("aaaa", without: [0, 2]) == [[1, 3]])
        #expect(batches("ab", without: [0, 1]) == [])
    }
}
