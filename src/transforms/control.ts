/** Loops, branches and custom rules over trees of tensors. @module */
import { ShapeError } from '../util/errors.ts';
import { Tensor } from '../core/tensor.ts';
import * as calls from '../prims/control/call.ts';
import { cond as condFlat } from '../prims/control/cond.ts';
import { scan as scanFlat } from '../prims/control/scan.ts';
import { whileLoop as whileFlat } from '../prims/control/while.ts';
import { requireSameStructure, type Structure } from '../tree/tree.ts';
import { tensorLeaves } from './trees.ts';

export interface ScanOptions {
  /** Number of steps; needed when there are no stacked inputs. */
  readonly length?: number;
  /** From the last slice to the first; stacked outputs keep the slices' places. */
  readonly reverse?: boolean;
}

/**
 * Applies `step(carry, slice) -> [carry, output]` to the slices of `stacks` along axis 0, in order; returns the last
 * carry and the stacked outputs. Differentiable in forward and reverse mode; memory grows with the number of steps.
 */
export function scan<Carry, Slices, Out>(step: (carry: Carry, slices: Slices) => readonly [Carry, Out], carry: Carry, stacks: Slices, { length, reverse = false }: ScanOptions = {}): [Carry, Out] {
  const start = tensorLeaves('scan', 'the carry', carry);
  const inputs = tensorLeaves('scan', 'the stacked input', stacks);
  const steps = length ?? inputs.leaves[0]?.shape[0];
  if (steps === undefined || !Number.isInteger(steps) || steps < 1) throw new ShapeError({ operation: 'scan', required: 'at least one step: stacked inputs with slices along axis 0, or length', received: String(steps) });
  let structure: Structure | undefined;
  const result = scanFlat(start.leaves, inputs.leaves, steps, reverse, (c, s) => {
    const [next, out] = step(start.structure.rebuild(c) as Carry, inputs.structure.rebuild(s) as Slices);
    const nextLeaves = tensorLeaves('scan', 'the returned carry', next);
    requireSameStructure('scan', start.structure, nextLeaves.structure);
    const outLeaves = tensorLeaves('scan', 'the output', out);
    structure = outLeaves.structure;
    return { carry: nextLeaves.leaves, outputs: outLeaves.leaves };
  });
  return [start.structure.rebuild(result.carry) as Carry, structure!.rebuild(result.outputs) as Out];
}

/**
 * Applies `step` to the carry while `condition(carry)` holds. Forward mode only: the number of steps depends on values.
 */
export function whileLoop<Carry>(condition: (carry: Carry) => Tensor, step: (carry: Carry) => Carry, carry: Carry): Carry {
  const start = tensorLeaves('whileLoop', 'the carry', carry);
  const result = whileFlat(start.leaves, (c) => condition(start.structure.rebuild(c) as Carry), (c) => {
    const next = tensorLeaves('whileLoop', 'the returned carry', step(start.structure.rebuild(c) as Carry));
    requireSameStructure('whileLoop', start.structure, next.structure);
    return next.leaves;
  });
  return start.structure.rebuild(result) as Carry;
}

/** `whenTrue(...operands)` if the predicate (a bool scalar) holds, else `whenFalse(...operands)`; only one is run. */
export function cond<Args extends unknown[], Out>(predicate: Tensor, whenTrue: (...operands: Args) => Out, whenFalse: (...operands: Args) => Out, ...operands: Args): Out {
  const values = tensorLeaves('cond', 'an operand', operands);
  let structure: Structure | undefined;
  const branch = (f: (...operands: Args) => Out) => (inputs: Tensor[]): Tensor[] => {
    const out = tensorLeaves('cond', 'the result', f(...(values.structure.rebuild(inputs) as Args)));
    if (structure !== undefined) requireSameStructure('cond', structure, out.structure);
    structure = out.structure;
    return out.leaves;
  };
  const result = condFlat(predicate, values.leaves, branch(whenTrue), branch(whenFalse));
  return structure!.rebuild(result) as Out;
}

/** A flat view of a tree function that remembers the structure of its result. */
function flattened<Args extends unknown[], Out>(operation: string, f: (...args: Args) => Out, args: Structure): { call: (inputs: readonly Tensor[]) => Tensor[]; rebuild: (leaves: readonly Tensor[]) => Out } {
  let structure: Structure | undefined;
  return {
    call: (inputs) => {
      const out = tensorLeaves(operation, 'the result', f(...(args.rebuild(inputs) as Args)));
      structure = out.structure;
      return out.leaves;
    },
    rebuild: (leaves) => structure!.rebuild(leaves) as Out,
  };
}

/**
 * `f` whose intermediate values are recomputed in the backward pass instead of kept: less memory, about one more
 * forward pass (Griewank & Walther 2000; Chen et al. 2016, arXiv 1604.06174).
 */
export function checkpoint<Args extends unknown[], Out>(f: (...args: Args) => Out): (...args: Args) => Out {
  return (...args) => {
    const { leaves, structure } = tensorLeaves('checkpoint', 'an argument', args);
    const { call, rebuild } = flattened('checkpoint', f, structure);
    return rebuild(calls.checkpoint(leaves, call));
  };
}

/**
 * `f` with its own forward-mode rule: `rule(primals, tangents)` returns the tangent of the result and must be linear in
 * the tangents; reverse mode follows by transposition.
 * @throws NonlinearError when a value that f closes over is differentiated.
 */
export function customJvp<Args extends unknown[], Out>(f: (...args: Args) => Out, rule: (primals: Args, tangents: Args) => Out): (...args: Args) => Out {
  return (...args) => {
    const { leaves, structure } = tensorLeaves('customJvp', 'an argument', args);
    const { call, rebuild } = flattened('customJvp', f, structure);
    const flatRule: calls.JvpRule = (inputs, tangents) => tensorLeaves('customJvp', 'the tangent', rule(structure.rebuild(inputs) as Args, structure.rebuild(tangents) as Args)).leaves;
    return rebuild(calls.customJvp(leaves, call, flatRule));
  };
}

/**
 * `f` with its own reverse-mode rule: `forward(...args)` returns the result and residuals, `backward(residuals, ct)` the
 * cotangents of the arguments. Forward mode works too where `backward` is linear in ct.
 */
export function customVjp<Args extends unknown[], Out, Residuals>(f: (...args: Args) => Out, forward: (...args: Args) => readonly [Out, Residuals], backward: (residuals: Residuals, cotangent: Out) => Args): (...args: Args) => Out {
  return (...args) => {
    const { leaves, structure } = tensorLeaves('customVjp', 'an argument', args);
    const { call, rebuild } = flattened('customVjp', f, structure);
    let residualStructure: Structure | undefined;
    let outStructure: Structure | undefined;
    const flatForward: calls.ForwardRule = (inputs) => {
      const [out, residuals] = forward(...(structure.rebuild(inputs) as Args));
      const outLeaves = tensorLeaves('customVjp', 'the result', out);
      const kept = tensorLeaves('customVjp', 'a residual', residuals);
      residualStructure = kept.structure;
      outStructure = outLeaves.structure;
      return { outputs: outLeaves.leaves, residuals: kept.leaves };
    };
    const flatBackward: calls.BackwardRule = (residuals, cotangents) =>
      tensorLeaves('customVjp', 'a cotangent', backward(residualStructure!.rebuild(residuals) as Residuals, outStructure!.rebuild(cotangents) as Out)).leaves;
    return rebuild(calls.customVjp(leaves, call, flatForward, flatBackward));
  };
}
