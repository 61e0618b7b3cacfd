"""Fits the polynomial of GELU in `Sources/CKernels/vectors.h` and prints its coefficients and its error in single precision.

Φ(x) - 1/2 = x·P(2·(x/c)² - 1) for |x| ≤ c; at c it is 1/2 exactly, so that GELU is x beyond. Weighted least squares on
Chebyshev nodes, with weights that grow where the error of x·Φ(x) is large, come close to the least maximum.
"""

from math import erf

import numpy as np
from numpy.polynomial import chebyshev

END, DEGREE = 5.6, 15


def fit():
    u = np.cos(np.pi * (np.arange(6000) + 0.5) / 6000)
    x = END * np.sqrt((u + 1) / 2)
    values = 0.5 * np.vectorize(erf)(x / np.sqrt(2)) / x
    # P(u) = 1/(2c) + (u - 1)·Q(u)
    rest, scale = (values - 0.5 / END) / (u - 1), x * abs(u - 1) * x
    weights = scale.copy()
    for _ in range(200):
        q = chebyshev.chebfit(u, rest, DEGREE - 1, w=weights)
        error = abs(chebyshev.chebval(u, q) - rest) * scale
        weights *= (error / error.max() + 1e-3) ** 0.1
    p = chebyshev.chebmul(q, [-1, 1])
    p[0] += 0.5 / END
    return chebyshev.cheb2poly(p).astype(np.float32)


def fused(a, b, c):
    return (np.float64(a) * b + c).astype(np.float32)


def gelu(powers, x):
    near = np.clip(x, np.float32(-END), np.float32(END))
    u = fused(near * near, np.float32(2 / END**2), np.float32(-1))
    p = np.full_like(x, powers[-1])
    for power in powers[-2::-1]:
        p = fused(p, u, power)
    return x * fused(near, p, np.float32(0.5))


if __name__ == "__main__":
    powers = fit()
    print(", ".join(f"{power:.9g}f" for power in powers))
    x = np.linspace(-12, 12, 2_400_001).astype(np.float32)
    exact = x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(np.float64(2))))
    print("error over max(1, |x|):", (abs(gelu(powers, x) - exact) / np.maximum(1, abs(x))).max())
