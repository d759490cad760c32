/** ONNX Runtime in Node: its native build, or its WebAssembly build where the native one is missing. @module */
import { availableParallelism } from 'node:os';
import type { ModelRuntime } from '../core/backend.ts';
import { ArgumentError } from '../util/errors.ts';
import { webRuntime, type WebRuntimeOptions } from './ort-web.ts';
import { createOrtBackend, type Ort, type OrtOptions } from './ort.ts';
import { requireThreadCount } from './threads.ts';

export interface NodeRuntimeOptions extends Partial<OrtOptions> {
  /** Threads of one operation. Default: as many as the machine gives this process. */
  readonly threads?: number;
}

/** How the two builds are loaded. */
export interface Builds {
  native(): Promise<Ort>;
  webAssembly(options: WebRuntimeOptions): Promise<ModelRuntime>;
}

const INSTALLED: Builds = { native: () => import('onnxruntime-node'), webAssembly: webRuntime };

/**
 * The native build. Without it the WebAssembly build on one thread, whose name then says so; but not where `providers` asks for
 * what only the native build has.
 *
 * @throws ArgumentError when `threads` is not a positive integer, or no build can be loaded.
 */
export async function loadNodeRuntime(options: NodeRuntimeOptions, builds: Builds = INSTALLED): Promise<ModelRuntime> {
  const threads = requireThreadCount('nodeRuntime', options.threads ?? availableParallelism());
  let missing: unknown;
  try {
    return createOrtBackend(await builds.native(), 'onnxruntime-node', { providers: ['cpu'], ...options, threads });
  } catch (cause) {
    missing = cause;
  }
  const native = `onnxruntime-node ${absence(missing)}`;
  if (options.providers !== undefined) throw missingError(`the native build, for providers [${options.providers.join(', ')}]`, native, missing);
  try {
    const runtime = await builds.webAssembly({ ...options, threads: 1 });
    return { ...runtime, name: `${runtime.name}, because ${native}` };
  } catch (cause) {
    throw missingError('ONNX Runtime', `${native}, and onnxruntime-web ${absence(cause)}`, missing);
  }
}

/** Why a package did not load, in a few words. */
function absence(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  if (code === 'ERR_MODULE_NOT_FOUND') return 'is not installed';
  return `cannot be loaded (${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)})`;
}

function missingError(what: string, received: string, cause: unknown): ArgumentError {
  const error = new ArgumentError({
    operation: 'nodeRuntime', required: `${what} must be installed`, received: `this: ${received}`, remedy: 'npm install onnxruntime-node',
  });
  error.cause = cause;
  return error;
}
