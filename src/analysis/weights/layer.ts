/** Everything that is said of one spectrum. @module */
import type { Measurement } from '../../problem/index.ts';
import { split, type Key } from '../../util/random/index.ts';
import { fitMarchenkoPastur, type MarchenkoPasturFit } from './marchenko-pastur.ts';
import { alphaNorms, spectralNorms, type AlphaNorms, type SpectralNorms } from './norms.ts';
import { fitWithoutFingers, fittable, type FingerCorrection, type PowerLawFit } from './power-law.ts';
import { bootstrapAlpha, powerLawPlausibility, type AlphaBootstrap } from './resampling.ts';
import type { WeightSpectrum } from './spectrum.ts';
import { tailAlternatives, type TailAlternative } from './tail-alternatives.ts';
import { traceLog, type TraceLog } from './trace-log.ts';

/**
 * What came of the power-law fit, apart from its value. Only `fitted` exponents enter means. `too few eigenvalues`: fewer than 10 above
 * 1e-5. `no fit`: no start gives a finite exponent above 1, or the tail is no wider than rounding (equal eigenvalues). `hit the edge`: the best tail has fewer than 10
 * eigenvalues. `not heavy-tailed`: an exponential describes the tail better (likelihood ratio, p <= 0.05).
 */
export type TailStatus = 'fitted' | 'too few eigenvalues' | 'no fit' | 'hit the edge' | 'not heavy-tailed';

/** A tail with fewer eigenvalues says nothing: alpha would be uncertain by a third. */
const SHORTEST_TAIL = 10;
const SIGNIFICANT = 0.05;
/** WeightWatcher's limits: below, over-trained; above, under-trained. */
export const ALPHA_LIMITS = [2, 6] as const;

/** The power-law fit of one spectrum, and what came of it. */
export interface TailFit {
  readonly status: TailStatus;
  /** The exponent, only where the status is `fitted`. */
  readonly alpha?: Measurement;
  /** The fit as such, whatever the status; absent where there is none. */
  readonly fit?: PowerLawFit;
  /** Largest eigenvalues left out as fingers. */
  readonly fingers: number;
  /** Other laws on the same tail. */
  readonly alternatives: readonly TailAlternative[];
  /** `over-trained` for alpha below 2, `under-trained` above 6. */
  readonly flag?: 'over-trained' | 'under-trained';
}

/** What is measured of a spectrum beyond the default. */
export interface SpectrumOptions {
  /** Default `none`. */
  readonly fingers?: FingerCorrection;
  /** Resamples for the interval of alpha and the plausibility of the power law; default 0: none. */
  readonly bootstrap?: number;
  readonly signal?: AbortSignal;
}

/** The numbers of one spectrum. */
export interface SpectrumAnalysis {
  readonly tail: TailFit;
  readonly norms: SpectralNorms;
  /** Of the fitted exponent, only where the status is `fitted`. */
  readonly alphaNorms?: AlphaNorms;
  readonly traceLog: TraceLog;
  /** Absent where no bulk could be fitted. */
  readonly bulk?: MarchenkoPasturFit;
  readonly bootstrap?: AlphaBootstrap;
  /** Probability of so large a distance under a true power law. */
  readonly plausibility?: Measurement;
}

/** Fits the tail and says what became of it. `error`: rounding of the eigenvalues. */
export function fitTail(eigenvalues: ArrayLike<number>, { fingers = 'none', error = 0 }: { readonly fingers?: FingerCorrection; readonly error?: number } = {}): TailFit {
  const values = fittable(eigenvalues);
  if (values.length < SHORTEST_TAIL) return { status: 'too few eigenvalues', fingers: 0, alternatives: [] };
  const { fit, fingers: left } = fitWithoutFingers(values, fingers);
  if (fit === undefined || fit.xmax - fit.xmin <= 2 * error) return { status: 'no fit', fingers: 0, alternatives: [] };
  const alternatives = tailAlternatives(values.subarray(fit.start, fit.count), fit.xmin);
  const exponential = alternatives.find(({ law }) => law === 'exponential');
  const lighter = exponential !== undefined && exponential.logLikelihoodRatio > 0 && exponential.p <= SIGNIFICANT;
  const status = fit.count - fit.start < SHORTEST_TAIL ? 'hit the edge' : lighter ? 'not heavy-tailed' : 'fitted';
  const common = { status, fit, fingers: left, alternatives } as const;
  if (status !== 'fitted') return common;
  const { value } = fit.alpha;
  const flag = value < ALPHA_LIMITS[0] ? 'over-trained' : value > ALPHA_LIMITS[1] ? 'under-trained' : undefined;
  return { ...common, alpha: fit.alpha, ...(flag && { flag }) };
}

/** Analyses the spectrum of matrices [rows, columns], rows >= columns. Random numbers come from `key` alone. */
export function analyzeSpectrum({ eigenvalues, error }: WeightSpectrum, rows: number, columns: number, key: Key, options: SpectrumOptions = {}): SpectrumAnalysis {
  const tail = fitTail(eigenvalues, { fingers: options.fingers, error });
  const samples = options.bootstrap ?? 0;
  const { signal } = options;
  const bulk = fitMarchenkoPastur(eigenvalues, rows, columns);
  const resample = samples > 0 && tail.fit !== undefined && tail.fingers === 0;
  return {
    tail, norms: spectralNorms(eigenvalues, rows, error), traceLog: traceLog(eigenvalues),
    ...(tail.alpha && { alphaNorms: alphaNorms(eigenvalues, tail.alpha.value) }),
    ...(bulk && { bulk }),
    ...(resample && {
      bootstrap: bootstrapAlpha(eigenvalues, tail.fit, { key: split(key, 'bootstrap'), samples, signal }),
      plausibility: powerLawPlausibility(eigenvalues, tail.fit, { key: split(key, 'plausibility'), samples, signal }),
    }),
  };
}
