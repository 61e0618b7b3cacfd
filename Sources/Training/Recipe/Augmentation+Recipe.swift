import Documents

extension Augmentation {
    /// Reads a recipe's `augment`. Throws `DocumentError`.
    init(_ root: inout Fields) throws(DocumentError) {
        if root.value("augment")?.string == "none" {
            self = .none
            return
        }
        var section = try root.section("augment")
        self.init(
            flip: Float(try section.number("flip", 0...1) ?? 0.5), erasing: try Erasing(&section),
            shift: try section.integer("shift", 0...64) ?? 0, pad: try section.integer("pad", 0...64) ?? 0,
            grey: Float(try section.number("grey", 0...1) ?? 0),
            isIndependent: try section.bool("independent") ?? false)
        verticalFlip = Float(try section.number("flip_vertical", 0...1) ?? 0)
        if section.value("channel")?.object != nil {
            var fields = try section.section("channel")
            channel = Float(try fields.require("probability", .number(0...1)))
            channelHasGrey = try fields.bool("grey") ?? false
            try fields.finish()
        } else {
            channel = Float(try section.number("channel", 0...1) ?? 0)
        }
        if section.value("part") != nil { part = try PartialView(&section) }
        if isIndependent, erasing.isIndependent {
            throw section.invalid("erase.independent", "none where augment.independent says so of all", .bool(true))
        }
        var jitter = try section.section("jitter")
        self.jitter = []
        for key in ["brightness", "contrast", "saturation"] {
            self.jitter.append(Float(try jitter.number(key, 0...10) ?? 0))
        }
        try jitter.finish()
        try section.finish()
    }
}

extension Augmentation.PartialView {
    /// Reads `part`, torchvision's sizes unless told otherwise.
    fileprivate init(_ section: inout Fields) throws(DocumentError) {
        var fields = try section.section("part")
        probability = Float(try fields.require("probability", .number(0...1)))
        area = try fields.range("area", 0.01...1) ?? 0.08...1
        aspect = try fields.range("aspect", 0.01...100) ?? 0.75...1.3333334
        try fields.finish()
    }
}

extension Augmentation.Erasing {
    private enum Kind: String, CaseIterable {
        case mean, constant, noise
    }

    /// Reads `erase`: a probability, or an object.
    fileprivate init(_ section: inout Fields) throws(DocumentError) {
        guard section.value("erase")?.object != nil else {
            self.init(Float(try section.number("erase", 0...1) ?? 0.5))
            return
        }
        var fields = try section.section("erase")
        self.init(Float(try fields.require("probability", .number(0...1))))
        switch try fields.read("fill", FieldKind<Kind>.choice) ?? .mean {
        case .mean: fill = .mean
        case .noise: fill = .noise
        case .constant: fill = .constant(UInt8(try fields.integer("level", 0...255) ?? 0))
        }
        area = try fields.range("area", 0...1) ?? area
        aspect = try fields.range("aspect", 0.01...100) ?? aspect
        isIndependent = try fields.bool("independent") ?? false
        try fields.finish()
    }
}

extension Fields {
    /// Two numbers, the second not less than the first.
    fileprivate mutating func range(
        _ key: String, _ bounds: ClosedRange<Double>
    ) throws(DocumentError) -> ClosedRange<Float>? {
        let kind = FieldKind<ClosedRange<Float>>(
            "two rising numbers from \(bounds.lowerBound) to \(bounds.upperBound)"
        ) { value in
            let numbers = (value.array ?? []).compactMap(\.number).filter(bounds.contains)
            return numbers.count == 2 && numbers[0] <= numbers[1] ? Float(numbers[0])...Float(numbers[1]) : nil
        }
        return try read(key, kind)
    }
}
