/** Which array of a checkpoint belongs to which parameter of a model from a file. @module */
import { NDArray } from '../core/ndarray.ts';
import { DataError } from '../util/errors.ts';

/** One parameter and where its values come from. */
export interface MatchedArray {
  readonly parameter: string;
  readonly array: string;
  /** `name`: the same; `suffix`: one ends with the other; `shape`: the only ones of their shape that are left. */
  readonly by: 'name' | 'suffix' | 'shape';
  /** The array is the transpose, as exporters leave weights of products. */
  readonly isTransposed: boolean;
}

/** A mapping of all parameters. */
export interface CheckpointMatching {
  readonly matches: readonly MatchedArray[];
  /** Arrays of the checkpoint that belong to no parameter. */
  readonly unused: readonly string[];
}

type Shaped = Pick<NDArray, 'shape'>;

const same = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((extent, i) => extent === b[i]);
const isTransposeOf = (a: readonly number[], b: readonly number[]): boolean => a.length === 2 && b.length === 2 && a[0] === b[1] && a[1] === b[0];
const endsWith = (long: string, short: string): boolean => long === short || long.endsWith(`.${short}`) || long.endsWith(`/${short}`);

/**
 * Finds the array of every parameter: by the same name and shape, then by a name that ends with the other (`model.fc.weight` and `fc.weight`), then
 * by shape where one parameter and one array of it are left, at last transposed.
 * @throws DataError naming the parameter that has no array, or several of its shape.
 */
export function matchCheckpoint(parameters: Readonly<Record<string, Shaped>>, arrays: Readonly<Record<string, Shaped>>, file: string): CheckpointMatching {
  const refuse = (required: string, received: string, remedy?: string): never => { throw new DataError({ operation: `checkpoint ${file}`, required, received, ...(remedy !== undefined && { remedy }) }); };
  const open = new Set(Object.keys(parameters));
  const free = new Set(Object.keys(arrays));
  const matches: MatchedArray[] = [];
  const take = (parameter: string, array: string, by: MatchedArray['by'], isTransposed = false): void => {
    matches.push({ parameter, array, by, isTransposed });
    open.delete(parameter);
    free.delete(array);
  };
  for (const name of [...open]) {
    if (!free.has(name)) continue;
    if (!same(arrays[name].shape, parameters[name].shape)) refuse(`'${name}' must have shape [${parameters[name].shape.join(', ')}]`, `[${arrays[name].shape.join(', ')}]`, 'take a checkpoint of this model');
    take(name, name, 'name');
  }
  for (const name of [...open]) {
    const candidates = [...free].filter((other) => same(arrays[other].shape, parameters[name].shape) && (endsWith(other, name) || endsWith(name, other)));
    if (candidates.length === 1) take(name, candidates[0], 'suffix');
  }
  for (const fits of [same, isTransposeOf]) {
    for (const name of [...open]) {
      const { shape } = parameters[name];
      const candidates = [...free].filter((other) => fits(arrays[other].shape, shape));
      const rivals = [...open].filter((other) => same(parameters[other].shape, shape));
      if (candidates.length === 1 && rivals.length === 1) take(name, candidates[0], 'shape', fits === isTransposeOf);
      else if (candidates.length > 0 && fits === same) refuse(`the array of '${name}' must be clear`, `${candidates.map((other) => `'${other}'`).join(', ')} of shape [${shape.join(', ')}]`, 'rename the arrays after the parameters that thalweg inspect lists');
    }
  }
  const [missing] = open;
  if (missing !== undefined) refuse(`there must be an array for '${missing}' [${parameters[missing].shape.join(', ')}]`, [...free].slice(0, 8).map((name) => `'${name}' [${arrays[name].shape.join(', ')}]`).join(', ') || 'none left');
  return { matches, unused: [...free] };
}

/** The arrays under the parameters' names, transposed where the matching says so. */
export function matchedArrays({ matches }: CheckpointMatching, arrays: Readonly<Record<string, NDArray>>): Record<string, NDArray> {
  return Object.fromEntries(matches.map(({ parameter, array, isTransposed }) => [parameter, isTransposed ? transposed(arrays[array]) : arrays[array]]));
}

function transposed({ data, shape: [rows, columns], dtype }: NDArray): NDArray {
  const out = data.slice();
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  return new NDArray(out, [columns, rows], dtype);
}
