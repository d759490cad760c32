/** Distributions of initial weights. @module */
import { ArgumentError } from '../util/errors.ts';
import { sizeOf } from '../core/ndarray.ts';
import { normal, uniform, type Key } from '../util/random/index.ts';

/** What a distribution may depend on. */
export interface WeightShape {
  readonly shape: readonly number[];
  /** Inputs that one output sums over. */
  readonly fanIn: number;
  /** Outputs that one input reaches. */
  readonly fanOut: number;
}

/** Draws initial weights, row-major, as many as the shape holds; a pure function of the key. */
export type Initializer = (key: Key, weight: WeightShape) => Float32Array;

const normalOf = (variance: (weight: WeightShape) => number): Initializer =>
  (key, weight) => normal(key, weight.shape, { deviation: Math.sqrt(variance(weight)) });
const uniformOf = (variance: (weight: WeightShape) => number): Initializer => (key, weight) => {
  const limit = Math.sqrt(3 * variance(weight));
  return uniform(key, weight.shape, { low: -limit, high: limit });
};

const lecun = ({ fanIn }: WeightShape): number => 1 / fanIn;
const glorot = ({ fanIn, fanOut }: WeightShape): number => 2 / (fanIn + fanOut);
const he = ({ fanIn }: WeightShape): number => 2 / fanIn;

/** Zero-mean distributions, none truncated. Variances: LeCun 1/in (1998), Glorot 2/(in + out) (2010), He 2/in (2015). */
export const initializers = {
  'lecun-normal': normalOf(lecun),
  'lecun-uniform': uniformOf(lecun),
  'glorot-normal': normalOf(glorot),
  'glorot-uniform': uniformOf(glorot),
  'he-normal': normalOf(he),
  'he-uniform': uniformOf(he),
  /** PyTorch's default for linear and convolution layers: uniform on +-1/sqrt(in), biases too. */
  pytorch: uniformOf(({ fanIn }) => 1 / (3 * fanIn)),
  'standard-normal': normalOf(() => 1),
  zeros: (_, { shape }) => new Float32Array(sizeOf(shape)),
} as const satisfies Record<string, Initializer>;

/** Names that options called `initializer` take. */
export type InitializerName = keyof typeof initializers;

/** The initialiser of a name, or the function itself. @throws ArgumentError listing the names when there is none. */
export function initializerOf(operation: string, initializer: InitializerName | Initializer): Initializer {
  if (typeof initializer === 'function') return initializer;
  if (Object.hasOwn(initializers, initializer)) return initializers[initializer];
  throw new ArgumentError({ operation, required: 'initializer must be a function or the name of an initialiser', received: `'${String(initializer)}'`, remedy: Object.keys(initializers).join(', ') });
}
