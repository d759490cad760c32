/** Derivatives of functions over trees of tensors. All of them compose, in any order and to any depth. @module */
import { ShapeError } from '../util/errors.ts';
import { substitute } from '../core/graph.ts';
import { placeholder, sameType, type MaybeTensor, type Tensor } from '../core/tensor.ts';
import { constantLike, zerosLike } from '../prims/constant.ts';
import { pullBack } from '../prims/interpret/pull-back.ts';
import { pushForward } from '../prims/interpret/push-forward.ts';
import { alias } from '../prims/unary.ts';
import { requireSameStructure, type Structure } from '../tree/tree.ts';
import { requireFloatLeaves, requireScalar, tensorLeaves } from './trees.ts';

/** A function applied to renamed copies of its arguments: what the derivatives are taken with respect to. */
interface Applied<Out> { readonly inputs: Tensor[]; readonly structure: Structure; readonly out: Out }

function applyRenamed<Args extends unknown[], Out>(operation: string, f: (...args: Args) => Out, args: Args): Applied<Out> {
  const { leaves, structure } = tensorLeaves(operation, 'an argument', args);
  const inputs = leaves.map(alias);
  return { inputs, structure, out: f(...(structure.rebuild(inputs) as Args)) };
}

/** Tangents or cotangents shaped like `like`. @throws TreeError | ShapeError */
function companions(operation: string, what: string, like: readonly Tensor[], structure: Structure, tree: unknown): Tensor[] {
  const given = tensorLeaves(operation, what, tree);
  requireSameStructure(operation, structure, given.structure);
  given.leaves.forEach((value, i) => {
    if (!sameType(value, like[i])) throw new ShapeError({ operation, required: `${what} at '${structure.paths[i]}' must have the type of its value, ${like[i]}`, received: value.toString() });
  });
  return given.leaves;
}

/**
 * Value and directional derivative: `jvp(f, [x], [v])` is `[f(x), df(x) v]`.
 * Cost: about two to three evaluations of f, whatever the dimension.
 * @throws TraceError | TreeError | ShapeError when tangents do not match the arguments.
 */
export function jvp<Args extends unknown[], Out>(f: (...args: Args) => Out, primals: Args, tangents: Args): [Out, Out] {
  const { inputs, structure, out } = applyRenamed('jvp', f, primals);
  const moving = companions('jvp', 'a tangent', inputs, structure, tangents);
  const flat = tensorLeaves('jvp', 'the result', out);
  const result = pushForward(inputs, moving, flat.leaves);
  const values = flat.structure.rebuild(result.outputs) as Out;
  return [values, flat.structure.rebuild(result.tangents.map((t, i) => t ?? zerosLike(flat.leaves[i]))) as Out];
}

/**
 * Value and the derivative at `primals` as a function: `[f(x), v -> df(x) v]`. What depends on x alone is shared by all
 * calls of the linear function.
 */
export function linearize<Args extends unknown[], Out>(f: (...args: Args) => Out, ...primals: Args): [Out, (...tangents: Args) => Out] {
  const { inputs, structure, out } = applyRenamed('linearize', f, primals);
  const flat = tensorLeaves('linearize', 'the result', out);
  const directions = inputs.map((input) => placeholder(input));
  const result = pushForward(inputs, directions, flat.leaves);
  const apply = (...tangents: Args): Out => {
    const moving = companions('linearize', 'a tangent', inputs, structure, tangents);
    const known = result.tangents.map((t, i) => t ?? zerosLike(flat.leaves[i]));
    return flat.structure.rebuild(substitute(known, new Map(directions.map((d, i) => [d, moving[i]])))) as Out;
  };
  return [flat.structure.rebuild(result.outputs) as Out, apply];
}

/** The transposed derivative of flat outputs: cotangents of the inputs. */
function transposed(inputs: readonly Tensor[], outputs: readonly Tensor[]): { outputs: Tensor[]; pull: (cotangents: readonly MaybeTensor[]) => Tensor[] } {
  const directions = inputs.map((input) => placeholder(input));
  const { outputs: values, tangents } = pushForward(inputs, directions, outputs);
  return { outputs: values, pull: (cotangents) => pullBack(directions, tangents, cotangents).map((ct, i) => ct ?? zerosLike(inputs[i])) };
}

/**
 * Value and the transposed derivative: `[f(x), ct -> df(x)' ct]`; the function returns one cotangent for each argument.
 * @throws NonlinearError when f contains an operation without a reverse derivative (a while loop).
 */
export function vjp<Args extends unknown[], Out>(f: (...args: Args) => Out, ...primals: Args): [Out, (cotangent: Out) => Args] {
  const { inputs, structure, out } = applyRenamed('vjp', f, primals);
  const flat = tensorLeaves('vjp', 'the result', out);
  const { outputs, pull } = transposed(inputs, flat.leaves);
  const apply = (cotangent: Out): Args => structure.rebuild(pull(companions('vjp', 'the cotangent', flat.leaves, flat.structure, cotangent))) as Args;
  return [flat.structure.rebuild(outputs) as Out, apply];
}

/**
 * Value and gradient with respect to the first argument (any tree of tensors). With `{ aux: true }` f returns
 * `[loss, aux]` and the result is `[[loss, aux], gradient]`.
 * @throws DtypeError when a leaf is not floating-point; TraceError when f does not return a scalar.
 */
export function valueAndGrad<P, Rest extends unknown[]>(f: (params: P, ...rest: Rest) => Tensor): (params: P, ...rest: Rest) => [Tensor, P];
export function valueAndGrad<P, Rest extends unknown[], Aux>(f: (params: P, ...rest: Rest) => readonly [Tensor, Aux], options: { readonly aux: true }): (params: P, ...rest: Rest) => [[Tensor, Aux], P];
export function valueAndGrad<P, Rest extends unknown[]>(f: (params: P, ...rest: Rest) => unknown, options: { readonly aux?: boolean } = {}): (params: P, ...rest: Rest) => unknown {
  return (params, ...rest) => {
    requireFloatLeaves('grad', 'the first argument', params);
    const { inputs, structure, out } = applyRenamed('grad', (p: P) => f(p, ...rest), [params]);
    const loss = requireScalar('grad', options.aux === true ? (out as readonly unknown[])[0] : out);
    const aux = tensorLeaves('grad', 'the auxiliary value', options.aux === true ? (out as readonly unknown[])[1] : []);
    const { outputs, pull } = transposed(inputs, [loss, ...aux.leaves]);
    const [gradient] = structure.rebuild(pull([constantLike(1, loss), ...aux.leaves.map(() => null)])) as [P];
    return options.aux === true ? [[outputs[0], aux.structure.rebuild(outputs.slice(1))], gradient] : [outputs[0], gradient];
  };
}

/** Gradient of a scalar function with respect to its first argument; the result has that argument's type. */
export function grad<P, Rest extends unknown[]>(f: (params: P, ...rest: Rest) => Tensor): (params: P, ...rest: Rest) => P {
  return (params, ...rest) => valueAndGrad(f)(params, ...rest)[1];
}

/**
 * Hessian-vector product, forward over reverse: `hvp(loss)(params, v, ...rest)` is `H v` with H the Hessian of the loss
 * with respect to `params`. Bind params and data (see `compile`) to pay only for the tangent pass of each further product.
 */
export function hvp<P, Rest extends unknown[]>(f: (params: P, ...rest: Rest) => Tensor): (params: P, vector: P, ...rest: Rest) => P {
  return (params, vector, ...rest) => jvp((p: P) => grad(f)(p, ...rest), [params], [vector])[1];
}

/**
 * Product with the generalised Gauss-Newton matrix `J' H_l J`: J the Jacobian of `predict` with respect to the
 * parameters, H_l the Hessian of `loss` with respect to the predictions (Schraudolph 2002).
 */
export function ggnvp<P, Out>(predict: (params: P) => Out, loss: (predictions: Out) => Tensor): (params: P, vector: P) => P {
  return (params, vector) => {
    const [predictions, pull] = vjp(predict, params);
    const [, moved] = jvp(predict, [params], [vector]);
    const [, curved] = jvp((out: Out) => grad(loss)(out), [predictions], [moved]);
    return pull(curved)[0];
  };
}

/** The transpose of a function that is linear in its argument, at the argument's type. */
export function linearTranspose<In, Out>(f: (x: In) => Out, like: In): (cotangent: Out) => In {
  const { leaves, structure } = tensorLeaves('linearTranspose', 'the argument', like);
  const inputs = leaves.map((leaf) => placeholder(leaf));
  const flat = tensorLeaves('linearTranspose', 'the result', f(structure.rebuild(inputs) as In));
  return (cotangent) => {
    const given = companions('linearTranspose', 'the cotangent', flat.leaves, flat.structure, cotangent);
    return structure.rebuild(pullBack(inputs, flat.leaves, given).map((ct, i) => ct ?? zerosLike(inputs[i]))) as In;
  };
}
