/** Hooks of Node's module loader for the user's own modules: TypeScript without its types, and this package by its name from anywhere. @module */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'amaro';
import type { LoadHook, ResolveHook } from 'node:module';

/** `thalweg/...` that is not installed beside the user's file is this package. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!/^thalweg(\/|$)/.test(specifier)) throw error;
    return next(specifier, { ...context, parentURL: import.meta.url });
  }
};

/** Types are replaced by blanks, so that lines and columns of errors stay true. */
export const load: LoadHook = async (url, context, next) => {
  if (!/^file:.*\.m?ts$/.test(url)) return next(url, context);
  const source = await readFile(fileURLToPath(url), 'utf8');
  return { format: 'module', shortCircuit: true, source: transformSync(source, { mode: 'strip-only' }).code };
};
