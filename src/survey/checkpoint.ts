/** Points as named arrays, as they are kept in files. @module */
import { sameShape, type NDArray } from '../core/ndarray.ts';
import { pointFromTorch, torchNames, type ExampleType } from '../interop/index.ts';
import { leavesWithPaths, unflatten } from '../tree/index.ts';
import { DataError } from '../util/errors.ts';
import { key } from '../util/random/index.ts';
import type { AnyPoint, AnyProblem } from './prepare.ts';

/** What stands before the names of batch statistics, so that they cannot be taken for parameters. */
const STATE = 'state:';

/** Parameters under their paths, batch statistics under `state:` and theirs. */
export function checkpointOf({ params, state }: AnyPoint): Record<string, NDArray> {
  const named = (tree: unknown, prefix: string): [string, NDArray][] => (leavesWithPaths(tree) as [string, NDArray][]).map(([path, value]) => [prefix + path, value]);
  return Object.fromEntries([...named(params, ''), ...named(state, STATE)]);
}

/**
 * The point of a problem's model that a checkpoint holds.
 *
 * @throws DataError when arrays are missing, left over or of another shape: a checkpoint of another model.
 */
export function pointFromCheckpoint({ model, name }: AnyProblem, arrays: Readonly<Record<string, NDArray>>, file: string): AnyPoint {
  const like = model.init(key(0)) as AnyPoint;
  const wanted = checkpointOf(like);
  const refuse = (required: string, received: string): never => {
    throw new DataError({ operation: 'pointFromCheckpoint', required, received, remedy: `pass --model as the checkpoint '${file}' was made with` });
  };
  for (const [path, { shape }] of Object.entries(wanted)) {
    if (!Object.hasOwn(arrays, path)) refuse(`the checkpoint must hold '${path}' of ${name}`, `arrays ${Object.keys(arrays).slice(0, 8).map((other) => `'${other}'`).join(', ')}`);
    if (arrays[path].shape.join() !== shape.join()) refuse(`'${path}' must have shape [${shape.join(', ')}]`, `[${arrays[path].shape.join(', ')}]`);
  }
  const extra = Object.keys(arrays).find((path) => !Object.hasOwn(wanted, path));
  if (extra !== undefined) refuse(`the checkpoint must hold nothing that ${name} lacks`, `'${extra}'`);
  const restore = (tree: unknown, prefix: string): unknown => unflatten(tree, (leavesWithPaths(tree) as [string, NDArray][]).map(([path]) => arrays[prefix + path]));
  return { params: restore(like.params, ''), state: restore(like.state, STATE) };
}

/** One example of a problem's data, as exports take it. */
export const exampleOf = ({ train: { inputs } }: AnyProblem): ExampleType => ({ shape: inputs.shape.slice(1), ...(inputs.dtype === 'int32' && { dtype: inputs.dtype }) });

/**
 * The point that a file holds: a checkpoint of this library, or a `state_dict()` of PyTorch. It is the latter where its metadata say `format: pt`, and
 * where names or shapes fit only so.
 *
 * @throws DataError when arrays are missing, left over or of another shape.
 */
export function pointFromFile(problem: AnyProblem, arrays: Readonly<Record<string, NDArray>>, file: string, metadata: Readonly<Record<string, string>> = {}): AnyPoint {
  const like = problem.model.init(key(0)) as AnyPoint;
  const has = (name: string, shape: readonly number[]): boolean => Object.hasOwn(arrays, name) && sameShape(arrays[name].shape, shape);
  const own = Object.entries(checkpointOf(like));
  const isOwn = metadata['format'] !== 'pt' && own.every(([name, { shape }]) => has(name, shape));
  if (isOwn) return pointFromCheckpoint(problem, arrays, file);
  const names = torchNames(problem.model, like, exampleOf(problem));
  const isTorch = metadata['format'] === 'pt' || names.every(({ name, isTransposed }, i) => has(name, isTransposed ? own[i][1].shape.toReversed() : own[i][1].shape));
  return isTorch ? pointFromTorch(problem.model, like, exampleOf(problem), arrays, file) : pointFromCheckpoint(problem, arrays, file);
}
