/** A loss as a module of the user. Node only. @module */
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Tensor } from '../core/tensor.ts';
import type { Loss } from '../losses/index.ts';
import * as ops from '../ops/index.ts';
import { DataError, ShapeError } from '../util/errors.ts';

/** What the module exports: losses of a batch, [batch], from outputs, targets and the array functions of `thalweg/ops`. */
export type LossModuleFunction = (outputs: Tensor, targets: Tensor, functions: typeof ops) => Tensor;

/** Whether a text names a module rather than a loss of the library. */
export const isLossModule = (text: string): boolean => /\.m?[jt]s$/.test(text);

let isRegistered = false;

/**
 * The function that a JavaScript or TypeScript module exports as `default` or as `loss`. Types are stripped, not checked.
 * @throws DataError when the file is missing, cannot be read as a module, or exports no function; the loss itself throws ShapeError when
 * it does not return one number an example.
 */
export async function loadLossModule(file: string): Promise<Loss> {
  const refuse = (required: string, received: string, remedy?: string): never => { throw new DataError({ operation: `loss ${file}`, required, received, remedy }); };
  const whole = path.resolve(file);
  if (!existsSync(whole)) refuse('the file must exist', `nothing at ${whole}`);
  if (!isRegistered) {
    register('../interop/user-modules-hooks.node.js', import.meta.url);
    isRegistered = true;
  }
  let loaded: { readonly default?: unknown; readonly loss?: unknown };
  try {
    loaded = await import(pathToFileURL(whole).href) as typeof loaded;
  } catch (error) {
    return refuse('the file must be a module', messageOf(error), 'only types that can be erased are understood: no enums, no parameter properties');
  }
  const given = loaded.default ?? loaded.loss;
  if (typeof given !== 'function') return refuse('the module must export a function as default', given === undefined ? `exports ${Object.keys(loaded).join(', ') || 'of none'}` : typeof given, 'export default (outputs, targets, { mean, square, sub }) => mean(square(sub(outputs, targets)), 1)');
  return (outputs, targets) => {
    const losses = (given as LossModuleFunction)(outputs, targets, ops);
    if (losses?.shape?.length !== 1 || losses.shape[0] !== outputs.shape[0]) {
      throw new ShapeError({ operation: `loss ${file}`, required: `it must return a tensor of one number an example, [${outputs.shape[0]}]`, received: String(losses), remedy: 'take means over all axes but the first' });
    }
    return losses;
  };
}

/** What stripping refuses is no Error in the usual form. */
const messageOf = (error: unknown): string => String((error as { message?: unknown }).message ?? (error as { snippet?: unknown }).snippet ?? error).trim().split('\n')[0];
