import Inference
import Randomness

/// Random changes to training images. The images of a triple are registered, so all are changed alike unless they are to be
/// changed on their own.
public struct Augmentation: Sendable, Equatable {
    /// Random erasing (Zhong et al., 2020).
    public struct Erasing: Sendable, Equatable {
        /// What is put in the place of what is erased.
        public enum Fill: Sendable, Equatable {
            /// The mean of the modality's standardisation, so that the pixels become 0.
            case mean
            /// One level of all channels.
            case constant(UInt8)
            /// Standard normal numbers after the standardisation, one a pixel and channel.
            case noise
        }

        /// Of erasing a rectangle.
        public var probability: Float
        /// See ``Fill``.
        public var fill: Fill
        /// Of the rectangle, as shares of the image's.
        public var area: ClosedRange<Float>
        /// Height over width.
        public var aspect: ClosedRange<Float>
        /// Whether each image of a triple loses a rectangle of its own, or none, where all else is the same for all.
        public var isIndependent = false

        /// The paper's sizes unless told otherwise.
        public init(
            _ probability: Float, fill: Fill = .mean, area: ClosedRange<Float> = 0.02...0.33,
            aspect: ClosedRange<Float> = 0.3...3.3
        ) {
            (self.probability, self.fill, self.area, self.aspect) = (probability, fill, area, aspect)
        }
    }

    /// A part of an image in place of the whole (torchvision's `RandomResizedCrop`).
    public struct PartialView: Sendable, Equatable {
        /// Of showing a part.
        public var probability: Float
        /// Of the part, as shares of the image's.
        public var area: ClosedRange<Float>
        /// Width over height, as a factor of the image's own.
        public var aspect: ClosedRange<Float>
    }

    /// The probability that left and right are exchanged.
    public var flip: Float
    /// The probability that top and bottom are exchanged.
    public var verticalFlip: Float = 0
    /// See ``PartialView``.
    public var part: PartialView?
    /// Pixels by which the image may move in each direction, the edge repeated.
    public var shift: Int
    /// Pixels of black around the image, of which a part of the old size is then taken.
    public var pad: Int
    /// See ``Erasing``.
    public var erasing: Erasing
    /// Brightness, contrast and saturation become 1 ± at most this.
    public var jitter: [Float]
    /// The probability that a rectangle of 2 % to 40 % of the area becomes grey (Gong et al., 2021).
    public var grey: Float
    /// The probability that one channel takes the place of all (Ye et al., 2021).
    public var channel: Float
    /// Whether the brightness is one more of these, as likely as each of the three.
    public var channelHasGrey = false
    /// Whether each image of a triple is changed on its own.
    public var isIndependent: Bool

    /// Nothing changes.
    public static let none = Augmentation(flip: 0, erase: 0)

    /// Makes an augmentation; probabilities in 0...1.
    public init(
        flip: Float, erasing: Erasing, shift: Int = 0, pad: Int = 0, jitter: [Float] = [0, 0, 0], grey: Float = 0,
        channel: Float = 0, isIndependent: Bool = false
    ) {
        (self.flip, self.erasing, self.shift, self.pad) = (flip, erasing, shift, pad)
        (self.jitter, self.grey, self.channel, self.isIndependent) = (jitter, grey, channel, isIndependent)
    }

    /// Flips, moves, and erases with the mean.
    public init(flip: Float, erase: Float, shift: Int = 0) {
        self.init(flip: flip, erasing: Erasing(erase), shift: shift)
    }

    /// What was drawn for an image, so that a replay can repeat it.
    public struct Draw: Sendable, Equatable, Codable {
        /// Whether left and right are exchanged.
        public var flip: Bool
        /// The erased rectangle as [x, y, width, height], after the flip and the shift; nil for none.
        public var erase: [Int]?
        /// The shift as [x, y].
        public var shift: [Int]
        /// Whether top and bottom are exchanged; nil for not.
        public var vertical: Bool?
        /// The shift with black, as [x, y].
        public var crop: [Int]?
        /// The rectangle that is shown in place of the whole.
        public var part: [Int]?
        /// The level of what is erased.
        public var level: UInt8?
        /// The seed of the noise in what is erased.
        public var noise: UInt64?
        /// Factors of brightness, contrast and saturation.
        public var jitter: [Float]?
        /// The grey rectangle.
        public var grey: [Int]?
        /// The channel that takes the place of all; 3 is the brightness.
        public var channel: Int?

        /// A draw as given.
        public init(flip: Bool, erase: [Int]?, shift: [Int]) {
            (self.flip, self.erase, self.shift) = (flip, erase, shift)
        }
    }

    /// Draws the changes of an image, or of a triple's, of the given size.
    public func draw(width: Int, height: Int, _ generator: inout SplitMix64) -> Draw {
        var draw = Draw(flip: generator.chance(flip), erase: nil, shift: Self.offset(shift, &generator))
        if verticalFlip > 0, generator.chance(verticalFlip) { draw.vertical = true }
        if pad > 0 { draw.crop = Self.offset(pad, &generator) }
        if let part, generator.chance(part.probability) {
            let own = Float(height) / Float(width)
            // Height over width, as rectangles are drawn.
            let aspect = (own / part.aspect.upperBound)...(own / part.aspect.lowerBound)
            draw.part = Self.rectangle(width, height, part.area, aspect, &generator)
        }
        if jitter.contains(where: { $0 > 0 }) {
            draw.jitter = jitter.map { generator.uniform(max(1 - $0, 0)...(1 + $0)) }
        }
        if channel > 0, generator.chance(channel) { draw.channel = generator.index(below: channelHasGrey ? 4 : 3) }
        if grey > 0, generator.chance(grey) {
            draw.grey = Self.rectangle(width, height, 0.02...0.4, 0.3...3.3, &generator)
        }
        erase(&draw, width, height, &generator)
        return draw
    }

    /// Draws the changes to the images of a triple: one for all of them, or one for each.
    func draws(
        width: Int, height: Int, images: [Modality], _ generator: (_ own: Int) -> SplitMix64
    ) -> [Draw] {
        let key = { (modality: Modality) in 1 + (Modality.allCases.firstIndex(of: modality) ?? 0) }
        if isIndependent {
            return images.map { modality in
                var own = generator(key(modality))
                return self.draw(width: width, height: height, &own)
            }
        }
        var shared = generator(0)
        var drawn = self.draw(width: width, height: height, &shared)
        guard erasing.isIndependent else { return [drawn] }
        return images.map { modality in
            var own = generator(key(modality))
            (drawn.erase, drawn.level, drawn.noise) = (nil, nil, nil)
            erase(&drawn, width, height, &own)
            return drawn
        }
    }

    private func erase(_ draw: inout Draw, _ width: Int, _ height: Int, _ generator: inout SplitMix64) {
        guard generator.chance(erasing.probability) else { return }
        draw.erase = Self.rectangle(width, height, erasing.area, erasing.aspect, &generator)
        switch erasing.fill {
        case .mean: break
        case .constant(let level): draw.level = level
        // Fits a whole number of JSON.
        case .noise: draw.noise = generator.next() >> 12
        }
    }

    private static func offset(_ range: Int, _ generator: inout SplitMix64) -> [Int] {
        range == 0 ? [0, 0] : (0..<2).map { _ in generator.index(below: 2 * range + 1) - range }
    }

    private static func rectangle(
        _ width: Int, _ height: Int, _ area: ClosedRange<Float>, _ aspect: ClosedRange<Float>,
        _ generator: inout SplitMix64
    ) -> [Int]? {
        for _ in 0..<10 {
            let area = generator.uniform(area) * Float(width * height)
            let aspect = generator.uniform(aspect)
            let (w, h) = (Int((area / aspect).squareRoot()), Int((area * aspect).squareRoot()))
            guard w > 0, h > 0, w < width, h < height else { continue }
            return [generator.index(below: width - w), generator.index(below: height - h), w, h]
        }
        return nil
    }
}
