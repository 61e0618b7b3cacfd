import Foundation

/// Student's t distribution.
package struct StudentT {
    /// Degrees of freedom, above 0.
    package let freedom: Double

    /// The distribution of so many degrees of freedom.
    package init(freedom: Double) { self.freedom = freedom }

    /// The value below which a share of the distribution lies, by bisection of the distribution function.
    ///
    /// - Parameter share: above 0.5 and below 1.
    package func quantile(_ share: Double) -> Double {
        var (low, high) = (0.0, 1.0)
        while cumulative(high) < share { high *= 2 }
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if cumulative(middle) < share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The share below a value that is not negative: 1 - I_x(ν/2, 1/2) / 2 with x = ν / (ν + t²).
    func cumulative(_ t: Double) -> Double {
        1 - Self.incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    }

    /// The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (Press et al., "Numerical recipes",
    /// 6.4).
    private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        let scale: Double = lgamma(a + b) - lgamma(a) - lgamma(b)
        let powers: Double = a * log(x) + b * log(1 - x)
        let front = exp(scale + powers)
        // The fraction converges fast on this side of the mean.
        if x > (a + 1) / (a + b + 2) { return 1 - front * fraction(1 - x, b, a) / b }
        return front * fraction(x, a, b) / a
    }

    private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        let guarded = { (value: Double) in abs(value) < tiny ? tiny : value }
        var (c, d) = (1.0, 1 / guarded(1 - (a + b) * x / (a + 1)))
        var result = d
        for index in 1...500 {
            let m = Double(index)
            let (before, at, after) = (a + 2 * m - 1, a + 2 * m, a + 2 * m + 1)
            let even = m * (b - m) * x / (before * at)
            d = 1 / guarded(1 + even * d)
            c = guarded(1 + even / c)
            result *= d * c
            let odd = -(a + m) * (a + b + m) * x / (at * after)
            d = 1 / guarded(1 + odd * d)
            c = guarded(1 + odd / c)
            result *= d * c
            if abs(d * c - 1) < 1e-15 { break }
        }
        return result
    }
}
