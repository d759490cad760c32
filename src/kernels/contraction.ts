/** Blocks of the kernel from derivatives: products of Jacobians, of their factors, and derivatives of directional derivatives. @module */
import type { Tensor } from '../core/tensor.ts';
import { add, einsum, expandDims, mul, reshape, sum } from '../ops/index.ts';
import { jvp, vjp, vmap } from '../transforms/index.ts';
import type { Derivative, Factors, ProductFactors } from './factors.ts';
import { outputsOf, outputsOfOne } from './network.ts';

/**
 * What is kept of the pairs of outputs: their trace, the pairs of an output with itself, or all. Letters below: n, m examples;
 * k, l seeded outputs; t, s positions.
 */
export type OutputPairs = 'trace' | 'diagonal' | 'full';
/** All pairs of examples, or each example with its counterpart. */
export type ExamplePairs = 'all' | 'diagonal';

export interface Pairing {
  readonly outputs: OutputPairs;
  readonly pairs: ExamplePairs;
}

interface Letters {
  /** Letters of the second example and of the second output: the first ones again, where only equal pairs are wanted. */
  readonly m: string;
  readonly l: string;
  /** Axes of the result: examples, outputs. */
  readonly examples: string;
  readonly kept: string;
}

function lettersOf({ outputs, pairs }: Pairing): Letters {
  const m = pairs === 'all' ? 'm' : 'n';
  return { m, l: outputs === 'full' ? 'l' : 'k', examples: pairs === 'all' ? 'nm' : 'n', kept: { trace: '', diagonal: 'k', full: 'kl' }[outputs] };
}

/** The block of examples of `first` and `second`: [n, m] or [n], then [], [k] or [k, l]. Both must have the same form. */
export function contractFactors(first: Factors, second: Factors, pairing: Pairing): Tensor {
  const letters = lettersOf(pairing);
  const { m, l, examples, kept } = letters;
  const terms = first.jacobians.map((jacobian, i) => einsum(`nkp,${m}${l}p->${examples}${kept}`, jacobian, second.jacobians[i]));
  first.products.forEach((factors, i) => terms.push(contractProduct(factors, second.products[i], letters)));
  return terms.reduce((total, term) => add(total, term));
}

/** Sum over positions t, s of (a_t . a_s)(d_t . d_s). */
function contractProduct(first: ProductFactors, second: ProductFactors, { m, l, examples, kept }: Letters): Tensor {
  const single = first.a.shape[1] === 1;
  const [t, s] = single ? ['', ''] : ['t', 's'];
  const squeeze = ({ a, d }: ProductFactors): ProductFactors =>
    (single ? { a: reshape(a, [a.shape[0], a.shape[2]]), d: reshape(d, [d.shape[0], d.shape[1], d.shape[3]]) } : { a, d });
  const x = squeeze(first);
  const y = squeeze(second);
  const inputs = einsum(`n${t}i,${m}${s}i->${examples}${t}${s}`, x.a, y.a);
  const outputs = einsum(`nk${t}o,${m}${l}${s}o->${examples}${t}${s}${kept}`, x.d, y.d);
  if (kept === '') return single ? mul(inputs, outputs) : sum(mul(inputs, outputs), [examples.length, examples.length + 1]);
  return einsum(`${examples}${t}${s},${examples}${t}${s}${kept}->${examples}${kept}`, inputs, outputs);
}

/**
 * The same block without any Jacobian (Novak et al. 2022, 'NTK-vector products'): each seeded output's gradient at an example
 * of `second` is a direction, along which the outputs at `first` are differentiated.
 */
export function directionalBlock<P, State>(derivative: Derivative<P, State>, first: Tensor, second: Tensor, seeds: Tensor, { outputs, pairs }: Pairing): Tensor {
  const { network, space, point } = derivative;
  const chosen = space.pick<Tensor>(point.params);
  const along = (input: Tensor, others: Tensor): Tensor => {
    const [, pull] = vjp((leaves: Tensor[]) => outputsOfOne(network, space, point, leaves, input), chosen);
    const push = (direction: Tensor[]): Tensor => jvp((leaves: Tensor[]) => outputsOf(network, space.replace(point.params, leaves) as P, point.state, others), [chosen], [direction])[1];
    return vmap((seed: Tensor) => push(pull(seed)[0]))(seeds); // [l, n, outputs]
  };
  if (pairs === 'diagonal') {
    const result = vmap((x: Tensor, y: Tensor) => along(y, expandDims(x, 0)))(first, second);
    const moved = reshape(result, [result.shape[0], result.shape[1], result.shape[3]]);
    if (outputs === 'full') return einsum('nlo,ko->nkl', moved, seeds);
    return einsum(outputs === 'trace' ? 'nlo,lo->n' : 'nlo,lo->nl', moved, seeds);
  }
  const result = vmap((input: Tensor) => along(input, first))(second); // [m, l, n, outputs]
  if (outputs === 'full') return einsum('mlno,ko->nmkl', result, seeds);
  return einsum(outputs === 'trace' ? 'mlno,lo->nm' : 'mlno,lo->nml', result, seeds);
}
