import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../errors.ts';
import { bernoulli, key, normal, philox, rademacher, randint, split, uniform } from './index.ts';

const COUNT = 200_000;

/** Sample mean of f over the draws, and how many of its standard errors it lies from the expected value. */
function deviationOf(draws: ArrayLike<number>, expected: number, f: (x: number) => number): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < draws.length; i++) {
    sum += f(draws[i]);
    squares += f(draws[i]) ** 2;
  }
  const mean = sum / draws.length;
  return Math.abs(mean - expected) / Math.sqrt((squares / draws.length - mean * mean) / draws.length);
}

/** sqrt(n) times the largest distance between the empirical and the given distribution function (Kolmogorov). */
function kolmogorov(draws: Float64Array, distribution: (x: number) => number): number {
  const sorted = draws.slice().sort();
  let distance = 0;
  for (let i = 0; i < sorted.length; i++) {
    const expected = distribution(sorted[i]);
    distance = Math.max(distance, Math.abs(expected - i / sorted.length), Math.abs((i + 1) / sorted.length - expected));
  }
  return distance * Math.sqrt(sorted.length);
}

/** The normal distribution function from the Taylor series of the integral of the density; 1e-12 for |x| < 6. */
function normalDistribution(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

describe('uniform', () => {
  const draws = uniform(key(11), COUNT, { dtype: 'float64' });

  test('is the documented function of the Philox words', () => {
    const words = new Uint32Array(4);
    philox(11, 0, 3, 0, 1, 0, words);
    const [a, b, c, d] = [...words].map(BigInt);
    const fraction = (high: bigint, low: bigint): number => Number(((high >> 5n) << 26n) | (low >> 6n)) / 2 ** 53;
    expect([...draws.subarray(6, 8)]).toEqual([fraction(a, b), fraction(c, d)]);
  });

  test('has the moments and the distribution of the uniform law', () => {
    for (let power = 1; power <= 4; power++) expect(deviationOf(draws, 1 / (power + 1), (x) => x ** power)).toBeLessThan(4.5);
    expect(kolmogorov(draws, (x) => x)).toBeLessThan(1.95); // exceeded with probability 0.001
  });

  test('neighbours are uncorrelated', () => {
    const products = Float64Array.from({ length: COUNT - 1 }, (_, i) => (draws[i] - 0.5) * (draws[i + 1] - 0.5));
    expect(deviationOf(products, 0, (x) => x)).toBeLessThan(4.5);
  });

  test('streams of neighbouring seeds, of split names and of two laws are uncorrelated', () => {
    for (const other of [key(12), split(key(11), 'a')]) {
      const stream = uniform(other, COUNT, { dtype: 'float64' });
      expect(deviationOf(draws.map((x, i) => (x - 0.5) * (stream[i] - 0.5)), 0, (x) => x)).toBeLessThan(4.5);
    }
    const gaussian = normal(key(11), COUNT, { dtype: 'float64' });
    expect(deviationOf(draws.map((x, i) => (x - 0.5) * Math.abs(gaussian[i])), 0, (x) => x)).toBeLessThan(4.5);
  });

  test('float32 truncates the float64 draw to 24 bits, below 1', () => {
    const single = uniform(key(11), COUNT);
    expect(single).toBeInstanceOf(Float32Array);
    expect(single.every((x, i) => x <= draws[i] && draws[i] - x < 2 ** -24 && x < 1)).toBe(true);
  });

  test('keeps to [low, high)', () => {
    const some = uniform(key(1), 10000, { low: -2, high: 3 });
    expect(some.every((x) => x >= -2 && x < 3)).toBe(true);
    expect(deviationOf(some, 0.5, (x) => x)).toBeLessThan(4.5);
  });
});

describe('normal', () => {
  const draws = normal(key(5), COUNT, { dtype: 'float64' });

  test('has the moments of the normal law', () => {
    [0, 1, 0, 3, 0, 15].forEach((moment, i) => expect(deviationOf(draws, moment, (x) => x ** (i + 1))).toBeLessThan(4.5));
  });

  test('passes a Kolmogorov-Smirnov test, cosine and sine draws apart too', () => {
    expect(normalDistribution(1.959963984540054)).toBeCloseTo(0.975, 12);
    expect(kolmogorov(draws, normalDistribution)).toBeLessThan(1.95);
    for (const parity of [0, 1]) expect(kolmogorov(draws.filter((_, i) => i % 2 === parity), normalDistribution)).toBeLessThan(1.95);
  });

  test('mean and deviation', () => {
    const moved = normal(key(5), 1000, { mean: 3, deviation: 0.5, dtype: 'float64' });
    moved.forEach((x, i) => expect(x).toBeCloseTo(3 + 0.5 * draws[i], 12));
    expect([...normal(key(5), 3, { mean: 2, deviation: 0 })]).toEqual([2, 2, 2]);
  });

  test('float32 is the rounded float64 draw', () => {
    expect(normal(key(5), 1001)).toEqual(Float32Array.from(draws.subarray(0, 1001)));
  });

  test('recorded values: a change of the algorithm is a breaking change', () => {
    expect([...normal(split(key(0), 'recorded'), 3, { dtype: 'float64' })]).toMatchInlineSnapshot(`
      [
        0.2850543852912098,
        -0.1654581205074793,
        -0.1882845682507542,
      ]
    `);
  });
});

describe('rademacher, bernoulli, randint', () => {
  test('rademacher is -1 or 1, balanced and without serial correlation', () => {
    const draws = rademacher(key(2), COUNT, { dtype: 'float64' });
    expect(draws.every((x) => Math.abs(x) === 1)).toBe(true);
    expect(deviationOf(draws, 0, (x) => x)).toBeLessThan(4.5);
    for (const lag of [1, 32, 128]) expect(deviationOf(draws.subarray(lag).map((x, i) => x * draws[i]), 0, (x) => x)).toBeLessThan(4.5);
  });

  test('bernoulli has its probability, and its limits are certain', () => {
    expect(deviationOf(bernoulli(key(2), COUNT, { probability: 0.1 }), 0.1, (x) => x)).toBeLessThan(4.5);
    expect(bernoulli(key(2), 1000, { probability: 0 }).every((x) => x === 0)).toBe(true);
    expect(bernoulli(key(2), 1000, { probability: 1 }).every((x) => x === 1)).toBe(true);
  });

  test.each([1, 2, 7, 100])('randint over %i values passes a chi-square test', (range) => {
    const counts = new Float64Array(range);
    for (const x of randint(key(4), COUNT, { low: -3, high: range - 3 })) counts[x + 3]++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - COUNT / range) ** 2 / (COUNT / range), 0);
    expect(chiSquare).toBeLessThanOrEqual(range - 1 + 4.5 * Math.sqrt(2 * (range - 1)));
  });

  test('randint is unbiased where a plain remainder is not: range 3 * 2^30', () => {
    const high = 2 ** 31;
    const low = high - 3 * 2 ** 30;
    // The remainder of a 32-bit word would fall below low + 2^30 with probability 1/2 instead of 1/3.
    const draws = randint(key(8), 50_000, { low, high });
    expect(deviationOf(draws, 1 / 3, (x) => (x < low + 2 ** 30 ? 1 : 0))).toBeLessThan(4.5);
  });
});

describe('all draws', () => {
  const kinds = {
    uniform: (n: number) => uniform(key(9), n), normal: (n: number) => normal(key(9), n), rademacher: (n: number) => rademacher(key(9), n),
    bernoulli: (n: number) => bernoulli(key(9), n, { probability: 0.5 }), randint: (n: number) => randint(key(9), n, { high: 1000 }),
  };

  test.each(Object.entries(kinds))('%s: repeats bit for bit, and a longer array starts with the shorter', (_, draw) => {
    fc.assert(fc.property(fc.nat(300), fc.nat(300), (a, b) => {
      const [short, long] = [Math.min(a, b), Math.max(a, b)];
      expect(draw(long).slice(0, short)).toEqual(draw(short));
    }));
  });

  test('a shape stands for its size; the empty shape is one element', () => {
    expect(normal(key(0), [3, 4])).toEqual(normal(key(0), 12));
    expect(normal(key(0), []).length).toBe(1);
    expect(uniform(key(0), [0, 5]).length).toBe(0);
  });

  test('refuse what they cannot draw', () => {
    expect(() => normal(key(0), -1)).toThrow(ArgumentError);
    expect(() => normal(key(0), 3, { deviation: -1 })).toThrow(ArgumentError);
    expect(() => uniform(key(0), 3, { low: 1, high: 0 })).toThrow(ArgumentError);
    expect(() => uniform(key(0), 3, { high: Number.NaN })).toThrow(ArgumentError);
    expect(() => bernoulli(key(0), 3, { probability: 1.5 })).toThrow(ArgumentError);
    expect(() => randint(key(0), 3, { low: 5, high: 5 })).toThrow(ArgumentError);
    expect(() => uniform(key(0), [2, 0.5])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: uniform: size must be an integer of at least 0, got 0.5.]`);
  });
});
