/** A batch in parts, so that what lives at once is what one part needs: gradient accumulation in one loop inside the step. @module */
import type { Tensor } from '../core/tensor.ts';
import { add, at, div, mean, reshape, zerosLike } from '../ops/index.ts';
import { updateContext, type LayerFactors, type UpdateContext } from '../optim/index.ts';
import type { Problem } from '../problem/index.ts';
import { checkpoint, grad, hvp, scan, valueAndGrad } from '../transforms/index.ts';
import { mapTree } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import type { BatchObjective, Occasion } from './objective.ts';
import { modelQuantities } from './quantities.ts';

/** The examples of one part, as an occasion of its own. */
type Part<P, State> = Pick<Occasion<P, State>, 'batch' | 'noise'> & { readonly targets: readonly Tensor[] };

/**
 * As `batchObjective`, in parts of `size` examples one after another. Sums over the parts equal those of the batch, since every part
 * has as many examples; batch normalisation takes the statistics of each part, and its running statistics pass through all of
 * them. Second derivatives of the loss itself (`lossAt` under `grad`) compute each part's values again instead of keeping them.
 *
 * @throws ArgumentError when `size` does not divide the batch, or a random array has no axis of examples.
 */
export function microBatchObjective<P, State>(problem: Problem<P, State>, occasion: Occasion<P, State>, size: number): BatchObjective<P, State> {
  const { params, state, step, learningRate, batch, noise, draws, distribution } = occasion;
  const { model, loss } = problem;
  const examples = batch.inputs.shape[0];
  const count = examples / size;
  if (!Number.isInteger(count)) throw new ArgumentError({ operation: 'train', required: `microBatch must divide the batch of ${examples}`, received: String(size) });
  const parts: Part<P, State> = mapTree((x: Tensor) => cut(x, examples, count), { batch, noise, targets: draws.targets === undefined ? [] : [draws.targets] }) as Part<P, State>;

  const run = (at: P, before: State, part: Part<P, State>): { readonly loss: Tensor; readonly state: State; readonly outputs: Tensor } => {
    const after = model.apply(at, part.batch.inputs, { mode: 'train', state: before, noise: part.noise });
    return { loss: mean(loss(after.outputs, part.batch.targets)), ...after };
  };
  const lossOf = (at: P, part: Part<P, State>): Tensor => run(at, state, part).loss;
  const quantities = (part: Part<P, State>) =>
    modelQuantities(problem, { params, state, batch: part.batch, noise: part.noise, distribution, draws: { ...draws, ...(part.targets.length > 0 && { targets: part.targets[0] }) } });
  /** The mean over parts of a tree of tensors; the types of a first trace, which is then dead code, say what is added up. */
  const meanOver = <T>(f: (part: Part<P, State>) => T): T => {
    const like = f(mapTree(first, parts) as Part<P, State>);
    const [total] = scan((sum: T, part: Part<P, State>): [T, Tensor[]] => [mapTree(add, sum, f(part)) as T, []], mapTree(zerosLike, like) as T, parts);
    return mapTree((x: Tensor) => div(x, count), total) as T;
  };
  const rows = (f: (part: Part<P, State>) => unknown): unknown => {
    const [, stacked] = scan((none: Tensor[], part: Part<P, State>): [Tensor[], unknown] => [none, f(part)], [], parts);
    return mapTree((x: Tensor) => reshape(x, [examples, ...x.shape.slice(2)]), stacked);
  };

  let here: { readonly loss: Tensor; readonly gradient: P; readonly state: State } | undefined;
  const atParams = (): NonNullable<typeof here> => {
    if (here !== undefined) return here;
    const zero = run(params, state, mapTree(first, parts) as Part<P, State>).loss;
    type Sums = { readonly loss: Tensor; readonly gradient: P; readonly state: State };
    const [sums] = scan((sum: Sums, part: Part<P, State>): [Sums, Tensor[]] => {
      const [[value, after], gradient] = valueAndGrad((at: P): [Tensor, State] => {
        const result = run(at, sum.state, part);
        return [result.loss, result.state];
      }, { aux: true })(params);
      return [{ loss: add(sum.loss, value), gradient: mapTree(add, sum.gradient, gradient) as P, state: after }, []];
    }, { loss: zerosLike(zero), gradient: mapTree(zerosLike, params) as P, state }, parts);
    return (here = { loss: div(sums.loss, count), gradient: mapTree((x: Tensor) => div(x, count), sums.gradient) as P, state: sums.state });
  };

  const lossAt = (at: P): Tensor => {
    const remade = checkpoint((moved: P, part: Part<P, State>) => lossOf(moved, part));
    const start = zerosLike(lossOf(at, mapTree(first, parts) as Part<P, State>));
    const [total] = scan((sum: Tensor, part: Part<P, State>): [Tensor, Tensor[]] => [add(sum, remade(at, part)), []], start, parts);
    return div(total, count);
  };
  const context: UpdateContext<P> = {
    ...updateContext({ params, step, learningRate, batchSize: examples, lossAt, atParams, ...modelQuantities(problem, occasion) }),
    gradAt: (at) => meanOver((part) => grad((moved: P) => lossOf(moved, part))(at)),
    hvp: (vector) => meanOver((part) => hvp((moved: P) => lossOf(moved, part))(params, vector)),
    ggnvp: (vector) => meanOver((part) => quantities(part).ggnvp(vector)),
    sampledGrad: () => meanOver((part) => quantities(part).sampledGrad()),
    perExampleGrad: () => rows((part) => quantities(part).perExampleGrad()) as P,
    layerFactors: () => factorsOver(meanOver, (part: Part<P, State>) => quantities(part).layerFactors()),
  };
  return { context, state: () => atParams().state, outputs: () => rows((part) => run(params, state, part).outputs) as Tensor };
}

/** Factors are means over examples, so those of the batch are means over parts; how matrices lie in the parameters is the same in each. */
function factorsOver<P, Part>(meanOver: <T>(f: (part: Part) => T) => T, factors: (part: Part) => readonly LayerFactors<P>[]): readonly LayerFactors<P>[] {
  let layout: readonly LayerFactors<P>[] = [];
  const means = meanOver((part) => {
    layout = factors(part);
    return layout.map(({ inputs, slopes }) => ({ inputs, slopes }));
  });
  return layout.map((layer, i) => ({ ...layer, ...means[i] }));
}

const first = (x: Tensor): Tensor => at(x, 0);

function cut(x: Tensor, examples: number, count: number): Tensor {
  if (x.shape[0] !== examples) throw new ArgumentError({ operation: 'train', required: `with microBatch every random array must have the ${examples} examples along its first axis`, received: String(x), remedy: 'leave microBatch out' });
  return reshape(x, [count, examples / count, ...x.shape.slice(1)]);
}
