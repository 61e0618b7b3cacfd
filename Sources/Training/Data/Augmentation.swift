import Imaging
import Inference
import Randomness

/// Random changes to training images: horizontal flips and random erasing (Zhong et al., 2020). The images of a triple
/// are registered, so all are changed alike.
public struct Augmentation: Sendable, Equatable {
    /// The probability of a flip.
    public var flip: Float
    /// The probability of erasing a rectangle.
    public var erase: Float
    /// Pixels by which the image may move in each direction, the edge repeated.
    public var shift: Int

    /// Nothing changes.
    public static let none = Augmentation(flip: 0, erase: 0, shift: 0)

    /// Makes an augmentation; probabilities in 0...1.
    public init(flip: Float, erase: Float, shift: Int = 0) {
        self.flip = flip
        self.erase = erase
        self.shift = shift
    }

    /// What was drawn for one triple, so that a replay can repeat it.
    public struct Draw: Sendable, Equatable, Codable {
        /// Whether left and right are exchanged.
        public var flip: Bool
        /// The erased rectangle as [x, y, width, height], after the flip and the shift; nil for none.
        public var erase: [Int]?
        /// The shift as [x, y].
        public var shift: [Int]

        /// A draw as given.
        public init(flip: Bool, erase: [Int]?, shift: [Int]) {
            self.flip = flip
            self.erase = erase
            self.shift = shift
        }
    }

    /// Draws the changes of one triple of the given size.
    public func draw(width: Int, height: Int, _ generator: inout SplitMix64) -> Draw {
        let isFlipped = generator.chance(flip)
        let offset = shift == 0 ? [0, 0] : (0..<2).map { _ in generator.index(below: 2 * shift + 1) - shift }
        let isErased = generator.chance(erase)
        return Draw(
            flip: isFlipped, erase: isErased ? Self.rectangle(width, height, &generator) : nil, shift: offset)
    }

    /// A rectangle of 2 % to 33 % of the area with an aspect of 0.3 to 3.3: the paper's values.
    private static func rectangle(_ width: Int, _ height: Int, _ generator: inout SplitMix64) -> [Int]? {
        for _ in 0..<10 {
            let area = generator.uniform(0.02...0.33) * Float(width * height)
            let aspect = generator.uniform(0.3...3.3)
            let (w, h) = (Int((area / aspect).squareRoot()), Int((area * aspect).squareRoot()))
            guard w > 0, h > 0, w < width, h < height else { continue }
            return [generator.index(below: width - w), generator.index(below: height - h), w, h]
        }
        return nil
    }

    /// Applies what was drawn. Erased pixels get the mean of the modality's standardisation, so they become 0.
    public static func apply(_ draw: Draw, to image: Image, fill: [UInt8]) -> Image {
        var result = draw.flip ? image.flippedHorizontally() : image
        if draw.shift != [0, 0] { result = result.shifted(x: draw.shift[0], y: draw.shift[1]) }
        guard let erase = draw.erase else { return result }
        for y in erase[1]..<(erase[1] + erase[3]) {
            for x in erase[0]..<(erase[0] + erase[2]) {
                for c in 0..<3 { result.pixels[(y * result.width + x) * 3 + c] = fill[c] }
            }
        }
        return result
    }
}
