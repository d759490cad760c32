/** What sampling a batch does to the extreme eigenvalue of a Hessian, as random matrix theory has it. @module */
import { requireNumber } from '../util/require.ts';

/**
 * The batch that has the same noise when drawn with replacement: B / (1 - B / N) of a batch of B drawn without replacement from a
 * `population` of N examples; B for an infinite one, infinite for the whole set.
 * @throws ArgumentError unless 0 < batch <= population.
 */
export function effectiveBatchSize(batch: number, population = Infinity): number {
  requireNumber('effectiveBatchSize', 'batch', batch, Number.MIN_VALUE);
  if (population === Infinity) return batch;
  requireNumber('effectiveBatchSize', 'population', population, batch);
  return batch / (1 - batch / population);
}

/** A symmetric matrix of rank one, plus noise. */
export interface SpikedMatrix {
  /** The eigenvalue lambda without noise, positive. */
  readonly spike: number;
  /** Rows P of the matrix. */
  readonly size: number;
  /** Standard deviation sigma of an off-diagonal element of one example's matrix. Default 1. */
  readonly deviation?: number;
  /** Examples b that the matrix is the mean over: of an element of the mean the variance is sigma^2 / b. */
  readonly batch: number;
}

/** Where the largest eigenvalue is found. */
export interface SpikedEigenvalue {
  readonly value: number;
  /** Whether it stands out of the bulk; else it is the bulk's edge, and says nothing of the spike. */
  readonly isOutlier: boolean;
}

/**
 * The largest eigenvalue of a spike lambda plus a Wigner matrix, as P grows: lambda + P sigma^2 / (b lambda) where lambda > sigma
 * sqrt(P / b), else the edge of the semicircle, 2 sigma sqrt(P / b) (Furedi & Komlos 1981; Baik, Ben Arous & Peche 2005; Capitaine,
 * Donati-Martin & Feral 2009). Granziol, Zohren & Roberts (JMLR 2022, arXiv 2006.09092) take it as the law of batch Hessians. The smallest
 * eigenvalue of a negative spike is the same with signs changed.
 *
 * @throws ArgumentError when a number is out of range.
 */
export function spikedEigenvalue({ spike, size, deviation = 1, batch }: SpikedMatrix): SpikedEigenvalue {
  const positive = { spike, size, batch };
  for (const [name, value] of Object.entries(positive)) requireNumber('spikedEigenvalue', name, value, Number.MIN_VALUE);
  requireNumber('spikedEigenvalue', 'deviation', deviation, 0);
  const radius = deviation * Math.sqrt(size / batch);
  return spike > radius ? { value: spike + radius * radius / spike, isOutlier: true } : { value: 2 * radius, isOutlier: false };
}
