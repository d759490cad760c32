/** Spectra whose numbers were computed by re-enacting WeightWatcher's formulas in NumPy (float64). */

/** Quantiles of a power law with exponent 1 + gamma from 1 on: (1 - (k - 1/2) / n)^(-1 / gamma). */
export const paretoQuantiles = (n: number, gamma: number): number[] => Array.from({ length: n }, (_, k) => (1 - (k + 0.5) / n) ** (-1 / gamma));

export const goldenSets = [
  { name: '100 quantiles of exponent 2.5', values: paretoQuantiles(100, 1.5), golden: { alpha: 2.5128198, xmin: 1.0033473, sigma: 0.151282, D: 0.0067328, start: 0 } },
  {
    name: '100 quantiles of exponent 3 above a uniform body', values: [...Array.from({ length: 100 }, (_, i) => 0.1 + (0.9 * i) / 99), ...paretoQuantiles(100, 2)],
    golden: { alpha: 3.0170931, xmin: 1.0025094, sigma: 0.2017093, D: 0.0067328, start: 100 },
  },
] as const;
