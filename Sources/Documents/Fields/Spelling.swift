/// How near known names are to a misspelt one.
struct Spelling {
    private let name: [Character]

    /// Long names are cut: they are no misspelling of a known one.
    init(_ name: String) { self.name = Array(name.prefix(64)) }

    /// Names, the nearest first, equally near ones in alphabetical order.
    func nearestFirst(_ known: some Collection<String>) -> [String] {
        known.map { (distance(to: $0), $0) }.sorted { $0 < $1 }.map(\.1)
    }

    /// The fewest characters to insert, remove or replace (Levenshtein, 1966). O(product of the lengths).
    private func distance(to other: String) -> Int {
        var row = Array(0...name.count)
        for character in other {
            var diagonal = row[0]
            row[0] += 1
            for (index, own) in name.enumerated() {
                let replaced = diagonal + (own == character ? 0 : 1)
                diagonal = row[index + 1]
                row[index + 1] = min(replaced, diagonal + 1, row[index] + 1)
            }
        }
        return row[name.count]
    }
}
