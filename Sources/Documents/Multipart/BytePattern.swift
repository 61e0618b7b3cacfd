/// Finds bytes within bytes in linear time, whatever both are (Knuth, Morris and Pratt, 1977): a boundary of dashes in a body
/// of dashes must not cost the product of their lengths.
struct BytePattern: Sendable {
    private let pattern: [UInt8]
    /// For each number of matched bytes, how many of them still match where the next does not.
    private let fallback: [Int]

    /// A pattern of at least one byte.
    init(_ bytes: some Sequence<UInt8>) {
        let pattern = Array(bytes)
        var fallback = [Int](repeating: 0, count: pattern.count)
        var matched = 0
        for index in pattern.indices.dropFirst() {
            while matched > 0 && pattern[index] != pattern[matched] { matched = fallback[matched - 1] }
            if pattern[index] == pattern[matched] { matched += 1 }
            fallback[index] = matched
        }
        (self.pattern, self.fallback) = (pattern, fallback)
    }

    /// The first place within `range` where the pattern stands whole. O(range): at most two comparisons a byte.
    func first(in bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
        var matched = 0
        for at in range {
            let byte = bytes[at]
            while matched > 0 && byte != pattern[matched] { matched = fallback[matched - 1] }
            guard byte == pattern[matched] else { continue }
            matched += 1
            if matched == pattern.count { return at + 1 - matched..<at + 1 }
        }
        return nil
    }
}
