import Imaging

/// Capital letters, digits and what identities have beside them, five by seven pixels each: enough for labels, where no font
/// may be installed.
enum PixelFont {
    static let width = 5
    static let height = 7
    /// From one character to the next.
    static let advance = 6

    /// The columns of each character, from the left; the lowest bit is the top row.
    private static let columns: [Character: [UInt8]] = {
        let characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_+/"
        let bits = """
            3E5149453E 00427F4000 4261514946 2141454B31 1814127F10 2745454539 3C4A494930 0171090503 3649494936 064949291E
            7E1111117E 7F49494936 3E41414122 7F4141221C 7F49494941 7F09090901 3E4149497A 7F0808087F 00417F4100 2040413F01
            7F08142241 7F40404040 7F020C027F 7F0408107F 3E4141413E 7F09090906 3E4151215E 7F09192946 4649494931 01017F0101
            3F4040403F 1F2040201F 3F4038403F 6314081463 0708700807 6151494543 0808080808 4040404040 08083E0808 2010080402
            """.split(whereSeparator: \.isWhitespace)
        return Dictionary(
            uniqueKeysWithValues: zip(characters, bits).map { character, hex in
                let digits = hex.compactMap(\.hexDigitValue)
                return (
                    character, stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
                )
            })
    }()

    /// Whether a character has ink at a column and row; unknown ones have none.
    static func isInk(_ character: Character, column: Int, row: Int) -> Bool {
        guard let columns = columns[character] else { return false }
        return columns[column] >> row & 1 == 1
    }
}

extension Canvas {
    /// Writes a text, its upper left corner at a point; what is outside is left out.
    mutating func write(_ text: String, x: Int, y: Int) {
        for (index, character) in text.enumerated() {
            for column in 0..<PixelFont.width {
                for row in 0..<PixelFont.height where PixelFont.isInk(character, column: column, row: row) {
                    let (left, top) = (x + index * PixelFont.advance + column, y + row)
                    guard left < width, left >= 0, top >= 0 else { continue }
                    fill(x: left, y: top, width: 1, height: 1, [225, 225, 225])
                }
            }
        }
    }
}
