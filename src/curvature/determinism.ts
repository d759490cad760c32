/** Whether an operator is one: the same product twice, alone and in a block. @module */
import type { ParameterSpace } from '../problem/index.ts';
import { leaves } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { split } from '../util/random/index.ts';
import { norm } from './basis.ts';
import { keyOf, randomUnit, type EstimatorOptions } from './estimator.ts';
import type { LinearMap } from './operator.ts';

/** What of a model can make products differ; a `Model` with the state of a point and the shape of its inputs is one. */
export interface Suspect {
  readonly name: string;
  /** Batch statistics. */
  readonly state?: unknown;
  /** Of a batch. Needed to know of dropout. */
  readonly inputShape?: readonly number[];
  noise?(inputShape: readonly number[]): readonly (readonly number[])[];
}

/** Options of `requireDeterministic`. */
export interface DeterminismOptions extends Pick<EstimatorOptions, 'key'> {
  /**
   * |a - b| / max(|a|, |b|) up to which two products count as one. Default 5e-5 in float32 (curvlinops' threshold), 1e-10 in
   * float64.
   */
  readonly tolerance?: number;
  /** The model behind the operator: what it has of dropout and of batch statistics is named in the message. */
  readonly model?: Suspect;
}

interface Compared {
  readonly name: string;
  readonly precision: 'float32' | 'float64';
  readonly space?: ParameterSpace;
  readonly model?: Suspect;
  readonly tolerance?: number;
}

/**
 * Multiplies a random unit vector twice, then once more inside a block of two, and compares: an operator whose data change
 * between passes, whose model draws random numbers, or whose batch statistics depend on what else is in the batch is not a
 * matrix, and no estimate of its spectrum means anything. Returns the largest relative difference seen. Costs four products.
 *
 * @throws ArgumentError naming the comparison, the coordinates that differ most and what may have moved.
 */
export async function requireDeterministic(map: LinearMap, options: DeterminismOptions = {}): Promise<number> {
  const vector = randomUnit(split(keyOf(options), 'determinism'), map.columns);
  const compared: Compared = { name: map.name, precision: map.precision, ...(map.space && { space: map.space }), ...options };
  const [first] = await map.multiply([vector]);
  const again = requireAgreement(compared, [first], await map.multiply([vector]), 'twice');
  return Math.max(again, requireAgreement(compared, [first, first], await map.multiply([vector, vector]), 'in a block'));
}

/** @throws ArgumentError unless the products agree; returns the largest relative difference. Of a longer second list the start is compared. */
export function requireAgreement(compared: Compared, first: readonly Float64Array[], second: readonly Float64Array[], how: 'twice' | 'in a block'): number {
  const { tolerance = compared.precision === 'float32' ? 5e-5 : 1e-10 } = compared;
  const differences = first.map((a, i) => {
    const size = Math.max(norm(a), norm(second[i]));
    return size === 0 ? 0 : norm(a.map((x, j) => x - second[i][j])) / size;
  });
  const largest = Math.max(...differences);
  if (largest <= tolerance) return largest;
  const worst = differences.indexOf(largest);
  throw new ArgumentError({
    operation: 'requireDeterministic',
    required: `products of '${compared.name}' with one vector must agree to ${tolerance} (relative), computed ${how === 'twice' ? 'twice' : 'alone and in a block'}`,
    received: `${largest.toExponential(2)}${where(compared, first[worst], second[worst])}`,
    remedy: suspects(compared.model, how),
  });
}

/** The parameter that differs most, of operators over parameters. */
function where({ space }: Compared, a: Float64Array, b: Float64Array): string {
  if (space === undefined || space.size !== a.length) return '';
  const parts = space.ranges.map(({ name, offset, size }) => {
    let squares = 0;
    for (let i = offset; i < offset + size; i++) squares += (a[i] - b[i]) ** 2;
    return { name, squares };
  });
  return `, most of it at '${parts.reduce((most, part) => (part.squares > most.squares ? part : most)).name}'`;
}

function suspects(model: Suspect | undefined, how: 'twice' | 'in a block'): string {
  const named = how === 'twice'
    ? ['keep the data and their order fixed between products']
    : ['make the product of a block the products of its vectors, without randomness when it is traced'];
  if (model !== undefined && hasNoise(model)) named.push(`'${model.name}' has dropout: evaluate it in eval mode, or with noise that is drawn once`);
  if (model?.state !== undefined && leaves(model.state).length > 0) named.push(`'${model.name}' has batch statistics: evaluate it in eval mode, where they are kept ones`);
  return named.join('; ');
}

/** Whether a model asks for random numbers, as far as its input shape tells. */
const hasNoise = ({ noise, inputShape }: Suspect): boolean => noise !== undefined && inputShape !== undefined && noise(inputShape).length > 0;
