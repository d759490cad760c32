/** A model's spectra in a few numbers and one sentence. @module */
import type { WeightAnalysis, WeightLayer } from './analyze.ts';
import { ALPHA_LIMITS } from './layer.ts';

/** Plain means over layers, as WeightWatcher's summary, each over the layers that have the number. */
export interface WeightSummary {
  /** Over fitted layers only. */
  readonly alpha?: number;
  readonly alphaHat?: number;
  readonly logAlphaNorm?: number;
  /** Mean of alpha over every layer with a fit, whatever its status: WeightWatcher's mean, its -1 for failures left out. */
  readonly alphaOfEveryFit?: number;
  readonly logNorm?: number;
  readonly logSpectralNorm?: number;
  readonly stableRank?: number;
  readonly entropy?: number;
  readonly softRank?: number;
  /** Layers by status, flags included. */
  readonly counts: Readonly<Record<string, number>>;
  /** One sentence in plain words. */
  readonly diagnosis: string;
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((x): x is number => x !== undefined && Number.isFinite(x));
  return known.length === 0 ? undefined : known.reduce((sum, x) => sum + x, 0) / known.length;
}

/** Summarises the layers of one model. Convolutions that were taken in two forms count once in each mean: by their reshaped form. */
export function summarizeWeights({ layers, skipped }: WeightAnalysis): WeightSummary {
  const reshaped = new Set(layers.filter(({ form }) => form === 'reshaped').map(({ tensor }) => tensor));
  const counted = layers.filter(({ form, tensor }) => form === 'matrix' || form === 'reshaped' || !reshaped.has(tensor));
  const counts: Record<string, number> = {};
  for (const { tail } of counted) for (const name of [tail.status, tail.flag]) if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  const over = (pick: (layer: WeightLayer) => number | undefined): number | undefined => mean(counted.map(pick));
  return {
    alpha: over(({ tail }) => tail.alpha?.value), alphaHat: over(({ alphaNorms }) => alphaNorms?.alphaHat), logAlphaNorm: over(({ alphaNorms }) => alphaNorms?.logAlphaNorm),
    alphaOfEveryFit: over(({ tail }) => tail.fit?.alpha.value), logNorm: over(({ norms }) => norms.logNorm), logSpectralNorm: over(({ norms }) => norms.logSpectralNorm),
    stableRank: over(({ norms }) => norms.stableRank), entropy: over(({ norms }) => norms.entropy), softRank: over(({ bulk }) => bulk?.softRank),
    counts, diagnosis: diagnose(counted, skipped.length),
  };
}

/** Up to this many eigenvalues above the edge are what random matrices have. */
const MOST_NOISE_SPIKES = 1;
/** Equal singular values have no spikes either, but lie far from the law of noise. */
const NOISE_DISTANCE = 0.15;

/** What the spectra say, in the words of heavy-tailed self-regularisation (Martin, Mahoney 2021). */
function diagnose(layers: readonly WeightLayer[], skipped: number): string {
  if (layers.length === 0) return skipped === 0 ? 'No weight matrices.' : `No spectrum could be taken: all ${skipped} matrices were skipped.`;
  const of = (count: number): string => `${count} of ${layers.length} layers`;
  const fitted = layers.filter(({ tail }) => tail.alpha !== undefined);
  const noise = layers.filter(({ bulk }) => bulk !== undefined && bulk.spikes <= MOST_NOISE_SPIKES && bulk.sigma > 0.95 && bulk.distance < NOISE_DISTANCE);
  if (noise.length > layers.length / 2) return `${of(noise.length)} look like random matrices: little or nothing was learned there.`;
  if (fitted.length === 0) return `No layer has a tail that a power law describes (${of(layers.length)} without a usable fit), so alpha says nothing here.`;
  const alphas = fitted.map(({ tail }) => tail.alpha!);
  const center = mean(alphas.map(({ value }) => value)) ?? NaN;
  // Of the fits, which are independent between layers; not of the choice of layers.
  const error = Math.hypot(...alphas.map(({ error: each }) => each)) / alphas.length;
  const low = fitted.filter(({ tail }) => tail.flag === 'over-trained').length;
  const high = fitted.filter(({ tail }) => tail.flag === 'under-trained').length;
  const verdict = center < ALPHA_LIMITS[0] ? 'very heavy tails, as of over-trained layers' : center > ALPHA_LIMITS[1] ? 'light tails, as of under-trained layers' : 'heavy tails in the range of well-trained models';
  const exceptions = [low > 0 ? `${low} below ${ALPHA_LIMITS[0]} (over-trained)` : '', high > 0 ? `${high} above ${ALPHA_LIMITS[1]} (under-trained)` : ''].filter((text) => text !== '');
  const rest = layers.length - fitted.length;
  return `Mean alpha ${center.toFixed(2)} ± ${error.toFixed(2)} over ${of(fitted.length)}: ${verdict} (${ALPHA_LIMITS.join(' to ')})${exceptions.length > 0 ? `; ${exceptions.join(', ')}` : ''}${rest > 0 ? `; ${rest} without a usable fit` : ''}.`;
}
