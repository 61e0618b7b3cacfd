/// The part of a JPEG's size that it is decoded at. libjpeg then computes fewer pixels of each block of 8 × 8, with its
/// vector code for these sizes only: three eighths take longer than a half, five or more longer than all.
struct JPEGScale {
    /// How many times the target's columns and rows a decoded image has at least: so every target pixel is still an average
    /// of two by two or more, taken by the filter that the model was trained with. Pillow's `thumbnail` takes two as well.
    private static let margin = 2

    /// 1, 2, 4 or 8 eighths.
    let eighths: Int

    /// The least of them that the target allows; all of the image without a target, or if a part of it would not be whole
    /// pixels: libjpeg would make up the rest of the last one, and the image would be moved.
    init(of image: Image.Size, for target: Image.Size?) {
        let allowed = [1, 2, 4].first { part in
            guard let target else { return false }
            let isWhole = (image.width * part).isMultiple(of: 8) && (image.height * part).isMultiple(of: 8)
            return isWhole && image.width * part >= Self.margin * target.width * 8
                && image.height * part >= Self.margin * target.height * 8
        }
        eighths = allowed ?? 8
    }

    /// The decoded image's size.
    func applied(to image: Image.Size) -> Image.Size {
        Image.Size(width: image.width * eighths / 8, height: image.height * eighths / 8)
    }
}
