/** The quantities of an update, made from the loss when they are first asked for. @module */
import type { Tensor } from '../core/tensor.ts';
import { grad, hvp, valueAndGrad } from '../transforms/index.ts';
import { ArgumentError } from '../util/errors.ts';
import type { UpdateContext } from './optimizer.ts';

/** What only a model with data can give. */
export type ModelQuantities<P> = Pick<UpdateContext<P>, 'ggnvp' | 'perExampleGrad' | 'sampledGrad' | 'layerFactors' | 'normal'>;

/** What a context is made of. */
export interface ContextParts<P> extends Partial<ModelQuantities<P>> {
  readonly params: P;
  readonly step: Tensor;
  readonly learningRate: Tensor;
  /** Default 1. */
  readonly batchSize?: number;
  /** The loss that is descended, as a function of the parameters. */
  readonly lossAt: (params: P) => Tensor;
  /** Loss and gradient at `params`, where they are known already. */
  readonly atParams?: () => { readonly loss: Tensor; readonly gradient: P };
}

/** A context for any traced loss. Quantities that are not given and need a model throw when they are asked for. */
export function updateContext<P>({ params, step, learningRate, batchSize = 1, lossAt, atParams, ...model }: ContextParts<P>): UpdateContext<P> {
  let here: { readonly loss: Tensor; readonly gradient: P } | undefined;
  const at = (): { readonly loss: Tensor; readonly gradient: P } => {
    if (here !== undefined) return here;
    if (atParams !== undefined) return (here = atParams());
    const [loss, gradient] = valueAndGrad(lossAt)(params);
    return (here = { loss, gradient });
  };
  const absent = (what: string) => (): never => {
    throw new ArgumentError({ operation: 'updateContext', required: `an optimizer that asks for ${what} needs a problem with a model, and the draws it declares`, received: `a context without ${what}`, remedy: 'use `train`, or give the quantity' });
  };
  return {
    params, step, learningRate, batchSize, lossAt,
    loss: () => at().loss,
    grad: () => at().gradient,
    gradAt: (elsewhere) => grad(lossAt)(elsewhere),
    hvp: (vector) => hvp(lossAt)(params, vector),
    ggnvp: model.ggnvp ?? absent('ggnvp'),
    perExampleGrad: model.perExampleGrad ?? absent('perExampleGrad'),
    sampledGrad: model.sampledGrad ?? absent('sampledGrad'),
    layerFactors: model.layerFactors ?? absent('layerFactors'),
    normal: model.normal ?? absent('normal'),
  };
}
