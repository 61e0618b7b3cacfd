import Imaging

/// A picture of rankings: one row a query, the query left and its matches right, each a column of its modalities, with a
/// green border where a match is right and a red one where it is wrong.
struct ContactSheet {
    /// One triple on the sheet.
    struct Cell {
        /// Top to bottom; nil where a modality is absent.
        let images: [Image?]
        let border: Border
    }

    enum Border {
        case query, right, wrong

        var colour: [UInt8] {
            switch self {
            case .query: [235, 235, 235]
            case .right: [40, 200, 70]
            case .wrong: [225, 50, 45]
            }
        }
    }

    /// The pixels of one image on the sheet.
    let tile: (width: Int, height: Int)
    private let border = 4
    private let gap = 8
    /// Sets the query apart from its matches.
    private let gutter = 16
    private let background: UInt8 = 18

    /// Draws rows of cells, the query first in each. Rows may differ in length.
    func draw(_ rows: [[Cell]]) -> Image {
        let columns = rows.map(\.count).max() ?? 0
        let modalities = rows.flatMap { $0 }.map(\.images.count).max() ?? 0
        let cell = (width: tile.width + 2 * border, height: modalities * tile.height + 2 * border)
        let width = columns * (cell.width + gap) + gap + gutter
        let height = rows.count * (cell.height + gap) + gap
        var sheet = Canvas(width: width, height: height, background: background)
        for (row, cells) in rows.enumerated() {
            for (column, content) in cells.enumerated() {
                let x = gap + column * (cell.width + gap) + (column > 0 ? gutter : 0)
                let y = gap + row * (cell.height + gap)
                sheet.fill(x: x, y: y, width: cell.width, height: cell.height, content.border.colour)
                draw(content, x: x + border, y: y + border, on: &sheet)
            }
        }
        return Image(width: width, height: height, channels: 3, pixels: sheet.pixels)
    }

    private func draw(_ cell: Cell, x: Int, y: Int, on sheet: inout Canvas) {
        for (index, image) in cell.images.enumerated() {
            let top = y + index * tile.height
            if let image {
                sheet.place(
                    image.replicatedToRGB().resized(width: tile.width, height: tile.height, interpolation: .bilinear),
                    x: x, y: top)
            } else {
                sheet.fill(x: x, y: top, width: tile.width, height: tile.height, [60, 60, 60])
            }
        }
    }
}
