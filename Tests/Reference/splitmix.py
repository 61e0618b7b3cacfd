"""Triptych's random numbers (Sources/Randomness): SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
import numpy as np

MASK, INCREMENT = (1 << 64) - 1, 0x9E3779B97F4A7C15


class SplitMix64:
    def __init__(self, state):
        self.state = state

    def next(self):
        self.state = (self.state + INCREMENT) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def unit(self):
        """Uniform in [0, 1), a multiple of 2^-24."""
        return np.float32((self.next() >> 40) * 2.0 ** -24)

    def kept(self, count, p):
        """Of `count` samples 0 with probability p, else 1 / (1 - p)."""
        p = np.float32(p)
        return np.array([0 if self.unit() < p else 1 / (np.float32(1) - p) for _ in range(count)], np.float32)
