import Documents
import Foundation
import Gallery
import Imaging
import Inference

/// An image as a client sends it.
package struct SentImage: Sendable, Equatable {
    /// The bytes of a JPEG or PNG file.
    package let file: Data
    /// Where in it the object is; nil for all of it.
    package let box: PixelBox?

    package init(_ file: Data, box: PixelBox? = nil) { (self.file, self.box) = (file, box) }

    /// As the gallery keeps it.
    func kept(_ modality: Modality) -> KeptImage {
        KeptImage(
            modality: modality.rawValue, contentType: file.first == 0x89 ? "image/png" : "image/jpeg", bytes: file,
            box: box)
    }
}

extension [Modality: SentImage] {
    /// Files with the `boxes` that fields have for them. Throws `DocumentError`.
    package init(_ files: [Modality: Data], _ fields: inout Fields) throws(DocumentError) {
        let boxes = try fields.boxes(of: files.keys.map(\.rawValue))
        self = Dictionary(
            uniqueKeysWithValues: files.map { modality, file in
                (modality, SentImage(file, box: boxes[modality.rawValue]))
            })
    }

    /// As the gallery keeps them.
    var kept: [KeptImage] { sorted { $0.key < $1.key }.map { modality, image in image.kept(modality) } }
}

extension Fields {
    /// `boxes`: where in the images that were sent the object is, by their names. Throws `DocumentError`.
    package mutating func boxes(of images: some Collection<String>) throws(DocumentError) -> [String: PixelBox] {
        guard var section = try object("boxes") else { return [:] }
        var boxes: [String: PixelBox] = [:]
        for name in section.keys {
            guard images.contains(name) else {
                let sent = images.isEmpty ? "none" : images.sorted().joined(separator: ", ")
                throw .invalid(
                    field: section.name(String(name.prefix(64))),
                    expected: "a box of an image that was sent (\(sent))", found: "no such image")
            }
            boxes[name] = try section.read(name, .box)
        }
        return boxes
    }
}

extension FieldKind<PixelBox> {
    fileprivate static var box: FieldKind {
        FieldKind("[x, y, width, height] in whole pixels, x and y from 0, width and height from 1") { value in
            value.array.flatMap { elements in
                let numbers = elements.compactMap(\.integer)
                return numbers.count == elements.count ? PixelBox(numbers) : nil
            }
        }
    }
}

extension Image.Box {
    /// As decoding takes it.
    init(_ box: PixelBox) { self.init(x: box.x, y: box.y, width: box.width, height: box.height) }
}
