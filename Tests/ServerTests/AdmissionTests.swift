import Randomness
import Server
import Serving
import Testing

@Suite("Admission")
struct AdmissionTests {
    @Test("never more requests or bytes than the bounds, and a place that is given back can be taken again")
    func bounds() {
        var generator = SplitMix64(seed: 1)
        var admission = Admission(mostRequests: 4, mostBytes: 100)
        var held: [Int] = []
        for step in 0..<2000 {
            if Bool.random(using: &generator), !held.isEmpty {
                admission.release(bytes: held.remove(at: generator.index(below: held.count)))
            } else {
                let bytes = generator.index(below: 61)
                let fits = held.count < 4 && (held.reduce(0, +) + bytes <= 100 || held.isEmpty)
                let isAdmitted = admission.admit(bytes: bytes)
                #expect(isAdmitted == fits, "step \(step): \(held) and \(bytes)")
                if fits { held.append(bytes) }
            }
            #expect(admission.requests == held.count && admission.bytes == held.reduce(0, +))
        }
    }

    @Test("one request larger than all bytes is admitted when it is alone, since its own limit has judged it")
    func alone() {
        var admission = Admission(mostRequests: 4, mostBytes: 100)
        let first = [admission.admit(bytes: 500), admission.admit(bytes: 1)]
        admission.release(bytes: 500)
        let second = [admission.admit(bytes: 100), admission.admit(bytes: 1)]
        #expect(first == [true, false] && second == [true, false])
    }

    @Test("a request may come to hold more if that fits, and fewer always; no sum overflows")
    func change() {
        var admission = Admission(mostRequests: 4, mostBytes: 100)
        let places = [admission.admit(bytes: 40), admission.admit(bytes: 40)]
        let grown = [admission.change(from: 40, to: 60), admission.change(from: 40, to: 41)]
        #expect(places == [true, true] && grown == [true, false] && admission.bytes == 100)
        let others = [
            admission.admit(bytes: .max), admission.change(from: 60, to: .max), admission.change(from: 60, to: 0),
        ]
        #expect(others == [false, false, true] && admission.requests == 2 && admission.bytes == 40)
        admission.release(bytes: 0)
        // Alone.
        let alone = [admission.change(from: 40, to: .max), admission.admit(bytes: 1), admission.admit(bytes: .max)]
        #expect(alone == [true, false, false] && admission.requests == 1)
        admission.release(bytes: .max)
        #expect(admission.bytes == 0)
    }

    @Test("bounds that become narrower than what is under way let nothing in until there is room within them")
    func narrower() {
        var admission = Admission(mostRequests: 4, mostBytes: 100)
        let places = (0..<4).map { _ in admission.admit("a", bytes: 10) || admission.admit(bytes: 10) }
        (admission.mostRequests, admission.mostBytes) = (2, 25)
        #expect(places == [true, true, true, true] && !admission.admit(bytes: 0))
        for _ in 0..<3 { admission.release(bytes: 10) }
        let after = [admission.admit(bytes: 16), admission.admit(bytes: 15), admission.admit(bytes: 0)]
        #expect(after == [false, true, false])
    }

    @Test("a client takes no more than it leaves free, so that another always finds a place")
    func shares() {
        var admission = Admission(mostRequests: 12, mostBytes: 100)
        func take(_ client: String?, bytes: Int = 0) -> Int {
            var count = 0
            while admission.admit(client, bytes: bytes) { count += 1 }
            return count
        }
        // Half, then half of what is left as long as that is as much as one has.
        #expect([take("a"), take("b"), take("c")] == [6, 3, 2] && admission.requests == 11)
        #expect(take("d") == 1 && take("e") == 0)
        for (client, count) in [("a", 6), ("b", 3), ("c", 2), ("d", 1)] {
            for _ in 0..<count { admission.release(client, bytes: 0) }
        }
        // Nobody in particular may have all.
        #expect(take(nil) == 12)
        for _ in 0..<12 { admission.release(bytes: 0) }
        // Of bytes alike; a client's only request is judged by the bound of all.
        #expect([take("a", bytes: 20), take("b", bytes: 40)] == [2, 1])
        #expect(!admission.change("a", from: 20, to: 30) && admission.change("a", from: 20, to: 10))
        #expect(admission.bytes == 70)
    }
}
