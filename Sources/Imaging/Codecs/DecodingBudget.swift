/// When a decoding is given up: asked between rows of pixels, so that neither an image that was made to be slow nor a
/// client that left holds a thread.
public struct DecodingBudget: Sendable {
    /// Neither a deadline nor anyone who could leave.
    public static let unlimited = DecodingBudget()

    private let deadline: ContinuousClock.Instant?
    private let isCancelled: @Sendable () -> Bool

    /// Makes a budget.
    ///
    /// - Parameters:
    ///   - deadline: when decoding ends with `ImagingError.timedOut`; nil for never.
    ///   - isCancelled: whether to end with `ImagingError.cancelled`. Called on the decoding thread, some thousand times for
    ///     a large image.
    public init(deadline: ContinuousClock.Instant? = nil, isCancelled: @escaping @Sendable () -> Bool = { false }) {
        self.deadline = deadline
        self.isCancelled = isCancelled
    }

    /// Throws `ImagingError.cancelled` or `.timedOut` if the decoding is over.
    public func check() throws(ImagingError) {
        if isCancelled() { throw .cancelled }
        if let deadline, ContinuousClock.now >= deadline { throw .timedOut }
    }
}
