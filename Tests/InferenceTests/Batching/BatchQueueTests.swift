import Inference
import Randomness
import Testing

@Suite("Which requests are computed together, and when")
struct BatchQueueTests {
    /// A queue of at most three that says what it did in words.
    private final class Story {
        private var queue = BatchQueue<Character, Int>(most: 3, wait: .milliseconds(5))
        private let start = ContinuousClock.now
        private var milliseconds = 0
        /// Those that nobody waits for any more.
        var unwanted: Set<Int> = []

        private var now: ContinuousClock.Instant { start + .milliseconds(milliseconds) }

        func begin(_ kinds: String) { for kind in kinds { queue.begin(kind) } }
        func end(_ kind: Character) -> Bool { queue.end(kind) }
        func add(_ request: Int, _ kind: Character) { queue.add(request, kind: kind, at: now) }

        /// What is done so many milliseconds later: requests, or nil to wait, or nothing.
        func next(after later: Int = 0) -> [Int]? {
            milliseconds += later
            switch queue.next(at: now, isWanted: { [unwanted] in !unwanted.contains($0) }) {
            case .compute(let batch): return batch.requests
            case .wait(let until):
                #expect(until == now + .milliseconds(5))
                return nil
            case .rest: return []
            }
        }
    }

    private func batches(_ kinds: String, without unwanted: Set<Int> = []) -> [[Int]] {
        let story = Story()
        story.unwanted = unwanted
        for (request, kind) in kinds.enumerated() { story.add(request, kind) }
        var batches: [[Int]] = []
        while let batch = story.next(), !batch.isEmpty { batches.append(batch) }
        return batches
    }

    @Test("the oldest comes first, with those of its kind behind it, up to the largest batch")
    func order() {
        #expect(batches("aabaaab") == [[0, 1, 3], [2, 6], [4, 5]])
        #expect(batches("abc") == [[0], [1], [2]])
        #expect(batches("") == [])
    }

    @Test("a request that nobody waits for any more, as after its deadline, takes no place")
    func unwanted() {
        #expect(batches("aaaa", without: [0, 2]) == [[1, 3]])
        #expect(batches("ab", without: [0, 1]) == [])
    }

    @Test("a lone request waits for nobody")
    func alone() {
        let story = Story()
        story.begin("a")
        story.add(0, "a")
        #expect(story.next() == [0])
    }

    @Test("one waits for others on their way, and goes with those that have come when the time is over")
    func bound() {
        let story = Story()
        story.begin("aaa")
        story.add(0, "a")
        #expect(story.next() == nil)
        story.add(1, "a")
        #expect(story.next(after: 4) == [], "the wait has begun already")
        #expect(story.next(after: 1) == [0, 1])
        #expect(story.next() == [])
        story.add(2, "a")
        #expect(story.next() == nil, "those computed have no answer yet, for all that the queue knows")
    }

    @Test("nobody waits once all have come, or the batch is full")
    func complete() {
        let story = Story()
        story.begin("aa")
        for request in 0...1 { story.add(request, "a") }
        #expect(story.next() == [0, 1])
        story.begin("aaaa")
        for request in 2...4 { story.add(request, "a") }
        #expect(story.next() == [2, 3, 4])
    }

    @Test("one that will not come, as it cannot be decoded, is not waited for")
    func withdrawal() {
        let story = Story()
        story.begin("aa")
        #expect(!story.end("a"), "nothing is held")
        story.begin("a")
        story.add(0, "a")
        #expect(story.next() == nil)
        let isHeld = story.end("a")
        #expect(isHeld, "so it must be asked again")
        #expect(story.next() == [0])
    }

    @Test("a held request that is given up leaves no wait behind")
    func givenUp() {
        let story = Story()
        story.begin("aa")
        story.add(0, "a")
        #expect(story.next() == nil)
        story.unwanted = [0]
        #expect(story.next(after: 1) == [])
        story.add(1, "a")
        #expect(story.next(after: 1) == nil, "a wait of its own")
    }

    @Test("nobody waits for another kind, or while another kind waits")
    func kinds() {
        let story = Story()
        story.begin("ab")
        story.add(0, "a")
        #expect(story.next() == [0])
        story.begin("aab")
        story.add(1, "a")
        #expect(story.next() == nil)
        story.add(2, "b")
        #expect(story.next() == [1])
    }

    @Test("however many come later, none waits for more batches than there were requests before it")
    func fairness() {
        var generator = SplitMix64(seed: 3)
        var queue = BatchQueue<Int, Int>(most: 8)
        var (waiting, bounds, served) = ([Int](), [Int](), [Int]())
        for step in 0..<2000 {
            // A flood of one kind, and now and then another.
            for _ in 0..<generator.index(below: 12) where waiting.count < 64 {
                queue.add(bounds.count, kind: generator.index(below: 10) == 0 ? 1 : 0, at: .now)
                waiting.append(bounds.count)
                bounds.append(step + waiting.count - 1)
                served.append(-1)
            }
            guard case .compute(let batch) = queue.next(at: .now, isWanted: { _ in true }) else { continue }
            #expect(batch.requests.first == waiting.first)
            waiting.removeAll { batch.requests.contains($0) }
            for request in batch.requests { served[request] = step }
        }
        let late = zip(served, bounds).filter { $0 > $1 }
        #expect(late.isEmpty && waiting.allSatisfy { bounds[$0] >= 2000 } && bounds.count > 5000)
    }

    @Test("each request's wait is told")
    func waits() {
        var queue = BatchQueue<Int, Int>(most: 8)
        let start = ContinuousClock.now
        for request in 0..<3 { queue.add(request, kind: 0, at: start + .milliseconds(request)) }
        guard case .compute(let batch) = queue.next(at: start + .milliseconds(4), isWanted: { $0 != 1 }) else {
            Issue.record("nothing to compute")
            return
        }
        #expect(batch.waits == [.milliseconds(4), .milliseconds(2)])
    }
}
