/** What a result was made on: part of every provenance. @module */

/** Versions and machine; JSON. */
export interface Machine {
  /** Versions by name: `node`, `v8`; in a browser its own words. */
  readonly runtime: Readonly<Record<string, string>>;
  /** `linux x64`. */
  readonly platform: string;
  /** Undefined where the platform does not tell. */
  readonly cores?: number;
}

/** The parts of a platform's globals that tell what it is. */
interface Globals {
  readonly process?: { readonly versions?: Readonly<Record<string, string | undefined>>; readonly platform?: string; readonly arch?: string; getBuiltinModule?(name: 'os'): { availableParallelism(): number } | undefined };
  readonly navigator?: { readonly userAgent?: string; readonly hardwareConcurrency?: number };
}

/** The machine that this runs on, in Node and in browsers. */
export function machine(): Machine {
  const { process, navigator } = globalThis as Globals;
  const cores = process?.getBuiltinModule?.('os')?.availableParallelism() ?? navigator?.hardwareConcurrency;
  if (process?.versions?.node === undefined) return { runtime: { browser: navigator?.userAgent ?? 'unknown' }, platform: 'browser', ...(cores !== undefined && { cores }) };
  const { node, v8 = 'unknown' } = process.versions;
  return { runtime: { node, v8 }, platform: `${process.platform} ${process.arch}`, ...(cores !== undefined && { cores }) };
}
