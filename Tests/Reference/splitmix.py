"""Triptych's random numbers (Sources/Randomness): SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
import numpy as np

MASK, INCREMENT = (1 << 64) - 1, 0x9E3779B97F4A7C15


def scrambled(z):
    """The generator's output function."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class SplitMix64:
    def __init__(self, state):
        self.state = state

    @classmethod
    def of(cls, seed, *keys):
        """The stream that belongs to keys under a seed."""
        state = scrambled(seed)
        for key in keys:
            state = scrambled(((state ^ key) + INCREMENT) & MASK)
        return cls(state)

    def next(self):
        self.state = (self.state + INCREMENT) & MASK
        return scrambled(self.state)

    def several(self, count):
        """The next numbers, as an array."""
        words = np.uint64(self.state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(INCREMENT)
        self.state = (self.state + count * INCREMENT) & MASK
        z = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    def unit(self):
        """Uniform in [0, 1), a multiple of 2^-24."""
        return np.float32((self.next() >> 40) * 2.0 ** -24)

    def kept(self, count, p):
        """Of `count` samples 0 with probability p, else 1 / (1 - p)."""
        p = np.float32(p)
        return np.array([0 if self.unit() < p else 1 / (np.float32(1) - p) for _ in range(count)], np.float32)

    def normal(self, count):
        """Standard normal numbers (Box and Muller, 1958), each of two uniform ones."""
        units = (self.several(2 * count) >> np.uint64(40)).astype(np.float64) * 2.0 ** -24
        return (np.sqrt(-2 * np.log(1 - units[0::2])) * np.cos(2 * np.pi * units[1::2])).astype(np.float32)

    def mask(self, shape, p):
        """Dropout's: 0 with probability p, else 1 / (1 - p). A number makes two elements, of its lower and of its upper half."""
        p, count = np.float32(p), int(np.prod(shape))
        words = self.several((count + 1) // 2)
        halves = np.stack([words & np.uint64(0xFFFFFFFF), words >> np.uint64(32)], 1).reshape(-1)[:count]
        threshold = np.uint64(int(float(p) * 0xFFFFFFFF))
        return np.where(halves < threshold, np.float32(0), 1 / (np.float32(1) - p)).astype(np.float32).reshape(shape)
