/** Infinitely wide networks against stored values of neural-tangents (test/golden/make_kernels.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { array } from '../../core/ndarray.ts';
import {
  dualQuadrature, infiniteAbs, infiniteActivation, infiniteAttention, infiniteAveragePooling, infiniteConv, infiniteCosine, infiniteDense, infiniteDropout,
  infiniteErf, infiniteExponential, infiniteFlatten, infiniteGelu, infiniteGlobalAveragePooling, infiniteIdentity, infiniteKernel, infiniteLayerNorm,
  infiniteLeakyRelu, infiniteRelu, infiniteSerial, infiniteSine, infiniteSum, type InfiniteConvOptions, type InfiniteDenseOptions, type InfiniteLayer,
} from '../index.ts';

interface Stored { readonly nngp: readonly number[]; readonly ntk: readonly number[] }
interface Goldens {
  readonly inputs: Readonly<Record<'vectors' | 'images', readonly { readonly shape: readonly number[]; readonly data: readonly number[] }[]>>;
  readonly cases: Readonly<Record<string, { readonly kind: 'vectors' | 'images'; readonly self: Stored; readonly cross: Stored }>>;
}
const goldens = JSON.parse(readFileSync(new URL('../../../test/golden/kernels/infinite.json', import.meta.url), 'utf8')) as Goldens;

const dense = (options: InfiniteDenseOptions = {}): InfiniteLayer => infiniteDense({ width: 16, weightScale: 1.3, biasScale: 0.2, ...options });
const conv = (options: Partial<InfiniteConvOptions> = {}): InfiniteLayer => infiniteConv({ width: 8, window: [3, 3], padding: 'same', weightScale: 1.4, biasScale: 0.1, ...options });
const relu = infiniteRelu;
const serial = infiniteSerial;
const flatten = infiniteFlatten;
const globalPool = infiniteGlobalAveragePooling;
const standard = 'standard';
const attention = (mechanism: 'softmax' | 'identity' | 'relu' | 'abs'): InfiniteLayer =>
  serial(conv(), relu(), infiniteAttention({ mechanism, queryKeyScale: 1.1 * 0.9, valueOutputScale: 1.2 * 1.3, biasScale: 0.3 }), relu(), globalPool(), dense());

const networks: Readonly<Record<string, InfiniteLayer>> = {
  erf: serial(dense(), infiniteErf(), dense()),
  gelu: serial(dense(), infiniteGelu(), dense(), infiniteGelu(), dense()),
  sine: serial(dense(), infiniteSine({ amplitude: 1.2, frequency: 0.8, phase: 0.3 }), dense()),
  cosine: serial(dense(), infiniteCosine({ amplitude: 0.9, frequency: 1.1, phase: 0.2 }), dense()),
  exponential: serial(dense(), infiniteExponential({ amplitude: 0.7, rate: 0.4 }), dense()),
  'leaky relu': serial(dense(), infiniteLeakyRelu(0.1), dense(), infiniteLeakyRelu(0.1), dense()),
  abs: serial(dense(), infiniteAbs(), dense()),
  quadrature: serial(dense(), infiniteActivation(dualQuadrature('tanh', Math.tanh, (x) => 1 - Math.tanh(x) ** 2, 25)), dense()),
  'layer norm': serial(dense(), infiniteLayerNorm(), relu(), dense(), infiniteLayerNorm(), infiniteErf(), dense()),
  dropout: serial(dense(), relu(), infiniteDropout(0.8), dense(), relu(), dense()),
  residual: serial(dense(), infiniteSum(infiniteIdentity(), serial(relu(), dense())), relu(), dense()),
  standard: serial(dense({ width: 20, parametrization: standard }), relu(), dense({ width: 30, parametrization: standard }), infiniteErf(), dense({ width: 1, parametrization: standard })),
  'standard without bias': serial(dense({ width: 20, parametrization: standard, biasScale: undefined }), relu(), dense({ width: 1, parametrization: standard, biasScale: undefined })),
  'conv flatten': serial(conv(), relu(), conv({ strides: 2 }), relu(), flatten(), dense()),
  'conv valid': serial(conv({ window: [2, 3], padding: 'valid' }), infiniteErf(), conv({ padding: 'valid', strides: [1, 2] }), relu(), flatten(), dense()),
  'conv global pool': serial(conv(), relu(), conv({ strides: 2 }), infiniteGelu(), globalPool(), dense()),
  'conv average pool': serial(conv(), relu(), infiniteAveragePooling({ window: [2, 2] }), conv(), relu(), flatten(), dense()),
  'average pool same': serial(conv(), relu(), infiniteAveragePooling({ window: [3, 2], strides: 2, padding: 'same' }), conv(), infiniteErf(), globalPool(), dense()),
  'conv layer norm': serial(conv(), infiniteLayerNorm(), relu(), globalPool(), dense()),
  'residual conv': serial(conv(), infiniteSum(conv({ window: [1, 1], strides: 2 }), serial(relu(), conv({ strides: 2 }), relu(), conv())), relu(), flatten(), dense()),
  'conv standard': serial(conv({ width: 7, parametrization: standard }), relu(), conv({ width: 5, parametrization: standard }), relu(), flatten(), dense({ width: 1, parametrization: standard })),
  'attention softmax': attention('softmax'),
  'attention identity': attention('identity'),
  'attention relu': attention('relu'),
  'attention abs': attention('abs'),
};

/** Largest difference relative to the largest entry; of square matrices with `rows`, the lower triangle (quadrature is not symmetric there). */
const difference = (received: Float64Array, expected: readonly number[], rows?: number): number => {
  const scale = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => (rows !== undefined && i % rows > Math.floor(i / rows) ? 0 : Math.abs(received[i] - value) / scale)));
};

describe('against neural-tangents', () => {
  test('every stored network is compared', () => {
    expect(Object.keys(networks).sort()).toEqual(Object.keys(goldens.cases).sort());
  });

  test.each(Object.keys(networks))('%s', async (name) => {
    const { kind, self, cross } = goldens.cases[name];
    const [first, second] = goldens.inputs[kind].map(({ data, shape }) => array(data, shape, 'float64'));
    const own = await infiniteKernel(networks[name], first, undefined, { channels: 'last' });
    const other = await infiniteKernel(networks[name], first, second, { channels: 'last' });
    // The square root at the end of the arc-cosine angle turns rounding of 1e-16 into 1e-8 where two examples are equal.
    const allowed = 2e-7;
    expect(difference(own.nngp, self.nngp, first.shape[0])).toBeLessThan(allowed);
    expect(difference(own.ntk!, self.ntk, first.shape[0])).toBeLessThan(allowed);
    expect(difference(other.nngp, cross.nngp)).toBeLessThan(1e-12);
    expect(difference(other.ntk!, cross.ntk)).toBeLessThan(1e-12);
  });
});
