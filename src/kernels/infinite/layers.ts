/** Infinitely wide layers: with weights, over places, and combinations of layers. @module */
import { ArgumentError, ShapeError } from '../../util/errors.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import type { Parametrization } from '../../nn/index.ts';
import { entriesOf, mapKernels, placesOf, type InfiniteLayer, type Kernels } from './layer.ts';
import { sumDiagonal, sumIndependent, sumShared, windowAxes, windowOf, type WindowPadding } from './windows.ts';

/** Options of layers with weights. */
export interface InfiniteWeights {
  /** W_std: weights have variance weightScale^2 / inputs. Default 1. */
  readonly weightScale?: number;
  /** b_std; without it there is no bias. */
  readonly biasScale?: number;
  /** `ntk` (default): scales stand outside of the parameters. `standard`: the parameters carry them, and the tangent kernel grows with the width. */
  readonly parametrization?: Parametrization;
}

export interface InfiniteDenseOptions extends InfiniteWeights {
  /** Finite width after which the tangent kernel of later `standard` layers is scaled. Default 1; no effect with `ntk`. */
  readonly width?: number;
}

interface Scales {
  readonly weight: number;
  readonly bias: number;
  readonly hasBias: boolean;
  readonly standard: boolean;
}

function scalesOf(operation: string, { weightScale = 1, biasScale, parametrization = 'ntk' }: InfiniteWeights): Scales {
  requireNumber(operation, 'weightScale', weightScale, 0);
  if (biasScale !== undefined) requireNumber(operation, 'biasScale', biasScale, 0);
  if (parametrization !== 'ntk' && parametrization !== 'standard') throw new ArgumentError({ operation, required: "parametrization must be 'ntk' or 'standard'", received: `'${String(parametrization)}'` });
  return { weight: weightScale ** 2, bias: (biasScale ?? 0) ** 2, hasBias: biasScale !== undefined, standard: parametrization === 'standard' };
}

/**
 * What weights do after the covariances K and Theta of their inputs are summed: K' = W^2 K + b^2; Theta' = W^2 Theta + K' in
 * the NTK parametrisation, W^2 Theta + inputs K (+ 1 with a bias) in the standard one (Sohl-Dickstein et al. 2020).
 */
function weighted(kernels: Kernels, { weight, bias, hasBias, standard }: Scales, inputs: number): Pick<Kernels, 'nngp' | 'ntk'> {
  const nngp = kernels.nngp.map((k) => weight * k + bias);
  const ntk = kernels.ntk?.map((theta, i) => weight * theta + (standard ? inputs * kernels.nngp[i] + (hasBias ? 1 : 0) : nngp[i])) ?? null;
  return { nngp, ntk };
}

/** A dense layer: of the features of each place, where there are places. */
export function infiniteDense(options: InfiniteDenseOptions = {}): InfiniteLayer {
  const scales = scalesOf('infiniteDense', options);
  const width = requireInteger('infiniteDense', 'width', options.width ?? 1, 1);
  return {
    name: 'dense', correlates: false,
    apply: (kernels) => ({ ...kernels, ...weighted(kernels, scales, kernels.width), width, gaussian: true }),
  };
}

export interface InfiniteConvOptions extends InfiniteDenseOptions {
  /** Extents of the window, one a spatial axis. */
  readonly window: readonly number[];
  /** Default 1. */
  readonly strides?: number | readonly number[];
  /** Default `valid`. */
  readonly padding?: WindowPadding;
}

/** A convolution (Arora et al. 2019; Garriga-Alonso et al. 2019): covariances averaged over the window, zeros beyond the edge. */
export function infiniteConv(options: InfiniteConvOptions): InfiniteLayer {
  const scales = scalesOf('infiniteConv', options);
  const width = requireInteger('infiniteConv', 'width', options.width ?? 1, 1);
  const window = windowOf('infiniteConv', options.window, options.strides ?? 1, options.padding ?? 'valid');
  const taps = window.window.reduce((n, size) => n * size, 1);
  return {
    name: 'conv', correlates: false,
    apply(kernels) {
      const axes = windowAxes('infiniteConv', window, kernels.space);
      const sum = kernels.places === 'full' ? sumShared : sumDiagonal;
      const mean = (values: Float64Array): Float64Array => sum(values, kernels.count, kernels.space, axes).map((value) => value / taps);
      const averaged = mapKernels(kernels, mean, { space: axes.map(({ extent }) => extent) });
      return { ...averaged, ...weighted(averaged, scales, kernels.width * taps), width, gaussian: true };
    },
  };
}

/** Mean pooling; beyond the edge lie zeros, and the divisor is always the whole window. */
export function infiniteAveragePooling({ window, strides, padding = 'valid' }: { readonly window: readonly number[]; readonly strides?: number | readonly number[]; readonly padding?: WindowPadding }): InfiniteLayer {
  const moving = windowOf('infiniteAveragePooling', window, strides ?? window, padding);
  const taps = window.reduce((n, size) => n * size, 1);
  return {
    name: 'average pooling', correlates: true,
    apply(kernels) {
      const axes = windowAxes('infiniteAveragePooling', moving, kernels.space);
      const mean = (values: Float64Array): Float64Array => sumIndependent(values, kernels.count, kernels.space, axes).map((value) => value / taps ** 2);
      return mapKernels(kernels, mean, { space: axes.map(({ extent }) => extent) });
    },
  };
}

/** The mean over all places, which are gone afterwards. */
export const infiniteGlobalAveragePooling = (): InfiniteLayer => ({
  name: 'global average pooling', correlates: true,
  apply(kernels) {
    requirePlaces('infiniteGlobalAveragePooling', kernels);
    const entries = entriesOf(kernels);
    const mean = (values: Float64Array): Float64Array => Float64Array.from({ length: kernels.count }, (_, pair) => {
      let sum = 0;
      for (let i = 0; i < entries; i++) sum += values[pair * entries + i];
      return sum / entries;
    });
    return mapKernels(kernels, mean, { space: [], places: 'none' });
  },
});

/** All places and channels in one row of features: the mean of the covariances of equal places. */
export const infiniteFlatten = (): InfiniteLayer => ({
  name: 'flatten', correlates: false,
  apply(kernels) {
    const places = placesOf(kernels);
    const entries = entriesOf(kernels);
    const step = kernels.places === 'full' ? places + 1 : 1;
    const trace = (values: Float64Array): Float64Array => Float64Array.from({ length: kernels.count }, (_, pair) => {
      let sum = 0;
      for (let p = 0; p < places; p++) sum += values[pair * entries + p * step];
      return sum / places;
    });
    return mapKernels(kernels, trace, { space: [], places: 'none', width: kernels.width * places, gaussian: false });
  },
});

function requirePlaces(operation: string, { space }: Kernels): void {
  if (space.length === 0) throw new ShapeError({ operation, required: 'the input must have places (images or sequences)', received: 'features only', remedy: 'put it before infiniteFlatten' });
}

/** Normalisation over the channels of each place to mean 0 and variance 1: kernels become correlations. `epsilon` default 1e-12. */
export function infiniteLayerNorm({ epsilon = 1e-12 }: { readonly epsilon?: number } = {}): InfiniteLayer {
  requireNumber('infiniteLayerNorm', 'epsilon', epsilon, 0);
  return {
    name: 'layer norm', correlates: false,
    apply(kernels, tape) {
      if (!kernels.gaussian) throw new ArgumentError({ operation: 'infiniteLayerNorm', required: 'it must follow a layer with weights, whose outputs have mean zero', received: 'the input, a nonlinearity or a flattening', remedy: 'put infiniteDense or infiniteConv before it' });
      const [first, others] = tape.variances(kernels);
      const places = placesOf(kernels);
      const entries = entriesOf(kernels);
      const full = kernels.places === 'full';
      const scaled = (values: Float64Array): Float64Array => values.map((value, at) => {
        const entry = at % entries;
        const k11 = first[full ? Math.floor(entry / places) : entry];
        const k22 = others[Math.floor(at / entries) * places + (full ? entry % places : entry)];
        return value / Math.sqrt((epsilon + k11) * (epsilon + k22));
      });
      return mapKernels(kernels, scaled);
    },
  };
}

/**
 * Dropout while training, keeping each value with probability `keep` and dividing by it: an example's covariance with itself
 * grows by 1 / keep, since both factors share the mask; those between examples (and places) stay.
 */
export function infiniteDropout(keep: number): InfiniteLayer {
  requireNumber('infiniteDropout', 'keep', keep, Number.MIN_VALUE, 1);
  return {
    name: 'dropout', correlates: false,
    apply(kernels, tape) {
      const places = placesOf(kernels);
      const full = kernels.places === 'full';
      const entries = entriesOf(kernels);
      const grown = (values: Float64Array): Float64Array => (tape.self ? values.map((value, at) => (full && (at % entries) % (places + 1) !== 0 ? value : value / keep)) : values);
      return mapKernels(kernels, grown, { gaussian: false });
    },
  };
}

/** Layers one after another. */
export function infiniteSerial(...layers: readonly InfiniteLayer[]): InfiniteLayer {
  return {
    name: layers.map(({ name }) => name).join(', '), correlates: layers.some(({ correlates }) => correlates),
    apply: (kernels, tape) => layers.reduce((current, layer) => layer.apply(current, tape), kernels),
  };
}

/**
 * The sum of branches that get the same input and whose weights are independent: both kernels add up. A residual block is
 * `infiniteSum(infiniteIdentity(), infiniteSerial(...))`.
 * @throws ArgumentError without branches; ShapeError when results differ in shape.
 */
export function infiniteSum(...branches: readonly InfiniteLayer[]): InfiniteLayer {
  if (branches.length === 0) throw new ArgumentError({ operation: 'infiniteSum', required: 'at least one branch', received: 'none' });
  return {
    name: `sum of (${branches.map(({ name }) => name).join(') and (')})`, correlates: branches.some(({ correlates }) => correlates),
    apply(kernels, tape) {
      const [head, ...rest] = branches.map((branch) => branch.apply(kernels, tape));
      const odd = rest.find((other) => other.space.join(',') !== head.space.join(','));
      if (odd !== undefined) throw new ShapeError({ operation: 'infiniteSum', required: `all branches must have places [${head.space.join(',')}]`, received: `[${odd.space.join(',')}]` });
      return rest.reduce((total, other) => ({
        ...total, nngp: total.nngp.map((value, i) => value + other.nngp[i]), ntk: total.ntk?.map((value, i) => value + other.ntk![i]) ?? null,
        gaussian: total.gaussian && other.gaussian,
      }), head);
    },
  };
}
